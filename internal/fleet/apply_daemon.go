package fleet

import (
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ApplyDaemon takes a DaemonSet in, or its newer version. own tells that it is the answer to an own write, which
// makes nothing dirty and brings back none that is gone.
func (f *Fleet) ApplyDaemon(o *appsv1.DaemonSet, version Version, own bool, now time.Time) {
	key := types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
	old := f.daemons[key]
	switch {
	case old != nil && version <= old.Version:
		return
	case old == nil && own:
		return // deleted meanwhile; a late answer must not bring it back
	case old != nil && old.UID != o.UID:
		f.dropDaemon(old)
		old = nil
	}
	if old != nil && templateEqual(old.Object, o) {
		old.Version, old.Object = version, o
		if !own {
			f.Touch(key)
		}
		return
	}
	d := newDaemon(o, version, PriorityOf(&o.Spec.Template.Spec), f.judge(o))
	f.daemons[key], f.byUID[d.UID] = d, d
	for _, n := range f.nodes {
		s := d.slotFor(n.Name)
		s.Node = n
	}
	for _, p := range f.byOwner[d.UID] {
		if p.Namespace == key.Namespace {
			f.seat(d, p, now)
		}
	}
	for p := range f.orphans[key.Namespace] {
		if d.Matches(p.Labels) {
			d.addOrphan(p)
		}
	}
	for _, s := range d.slots {
		s.Verdict = d.verdict(s)
		if old != nil {
			s.inherit(old.slots[s.NodeName])
		}
	}
	d.Seen = now
	if old != nil {
		d.Approved, d.Seen, d.creates = old.Approved, old.Seen, old.creates
		f.forgetWaiter(old)
	}
	f.Touch(key)
}

// inherit keeps what a changed template does not undo.
func (s *Slot) inherit(old *Slot) {
	if old != nil {
		was := old.Trouble()
		s.Note(func(t *Trouble) { t.Failures, t.Taken, t.GoneSince = was.Failures, was.Taken, was.GoneSince })
		s.Served = old.Served
	}
}

// templateEqual tells whether slots judged by a also hold for b.
func templateEqual(a, b *appsv1.DaemonSet) bool {
	return a.UID == b.UID && a.Generation == b.Generation && reflect.DeepEqual(a.Spec, b.Spec)
}

// DeleteDaemon takes a DaemonSet out, unless another of that name has come since. Its Pods are the garbage
// collector's (U240).
func (f *Fleet) DeleteDaemon(key types.NamespacedName, uid types.UID) {
	if d := f.daemons[key]; d != nil && d.UID == uid {
		f.dropDaemon(d)
	}
}

func (f *Fleet) dropDaemon(d *Daemon) {
	delete(f.daemons, d.Key)
	delete(f.byUID, d.UID)
	delete(f.dirty, d.Key)
	f.forgetWaiter(d)
}

func (f *Fleet) forgetWaiter(d *Daemon) {
	for _, n := range f.nodes {
		if s := d.slots[n.Name]; s != nil {
			delete(n.waiters, s)
		}
	}
}

// ReplaceDaemons takes in a fresh list read at version: what it lacks is gone, unless newer than the list.
func (f *Fleet) ReplaceDaemons(list []*appsv1.DaemonSet, versions []Version, version Version, now time.Time) {
	keep := make(map[types.UID]bool, len(list))
	for i, o := range list {
		keep[o.UID] = true
		f.ApplyDaemon(o, versions[i], false, now)
	}
	for _, d := range f.daemons {
		if !keep[d.UID] && d.Version <= version {
			f.dropDaemon(d)
		}
	}
}
