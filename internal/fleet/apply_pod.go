package fleet

import (
	"slices"
	"time"
)

// ApplyPod takes in a Pod as the watch delivers it, in order, or its newer version.
func (f *Fleet) ApplyPod(p *Pod, now time.Time) {
	f.podsSeen = max(f.podsSeen, p.Version)
	f.applyPod(p, now, true)
}

// ApplyAnswer takes in a Pod as the answer to an own create or patch has it. The watch may have told more by now.
func (f *Fleet) ApplyAnswer(p *Pod, now time.Time) {
	old := f.pods.get(p.Namespace, p.Name)
	if p.Version <= f.podsSeen && (old == nil || old.UID != p.UID) {
		if old != nil && old.Creating {
			f.removePod(old)
		}
		return
	}
	f.applyPod(p, now, false)
}

// applyPod takes in a Pod; seen tells that its changes are told of as they happen, rather than found later.
func (f *Fleet) applyPod(p *Pod, now time.Time, seen bool) {
	old := f.pods.get(p.Namespace, p.Name)
	if old != nil && !old.Creating && p.Version <= old.Version {
		return
	}
	if old == nil || old.UID != p.UID {
		p.clock(nil, now, seen)
	} else {
		p.clock(old, now, seen)
		p.Deleting, p.Forced, p.Patching = old.Deleting, old.Forced, old.Patching
		if old.same(p) {
			p.place = old.place
			*old = *p // same place in every index
			return
		}
	}
	if old != nil {
		f.unlink(old)
		if n := f.nodes[old.Node()]; n != nil && !old.Creating && old.frees(p) {
			f.wake(n)
		}
	}
	if n := f.nodes[p.Node()]; n != nil && (old == nil || old.frees(p)) {
		f.wake(n) // there is less room now
	}
	f.pods.put(p)
	f.link(p, now)
	if old != nil {
		f.vacate(old) // not before: a Pod that has changed keeps its slot, and what went wrong there
	}
}

// DeletePod takes a Pod out. A Pod of another UID under the same name, or a newer version, stays.
func (f *Fleet) DeletePod(p *Pod) {
	f.podsSeen = max(f.podsSeen, p.Version)
	old := f.pods.get(p.Namespace, p.Name)
	if old == nil || old.UID != p.UID {
		return
	}
	f.removePod(old)
}

// Creating notes that a create call for p is in flight. Until it is answered the slot counts as filled and the room as taken.
func (f *Fleet) Creating(p *Pod, now time.Time) {
	p.Creating = true
	if f.pods.get(p.Namespace, p.Name) == nil {
		f.pods.put(p)
		f.link(p, now)
		if n := f.nodes[p.Node()]; n != nil {
			f.wake(n)
		}
	}
}

// NotCreated notes that the create call for p has certainly made no Pod.
func (f *Fleet) NotCreated(p *Pod) {
	if old := f.pods.get(p.Namespace, p.Name); old != nil && old.Creating {
		f.removePod(old)
	}
}

// MarkDeleting notes whether the deletion of that Pod has been asked for.
func (f *Fleet) MarkDeleting(p *Pod, on bool) {
	if q := f.pods.get(p.Namespace, p.Name); q != nil && q.UID == p.UID && q.Deleting != on {
		q.Deleting = on
		f.touchPodOwner(q)
	}
}

// MarkForced notes whether that Pod's end has been asked for at once.
func (f *Fleet) MarkForced(p *Pod, on bool) {
	if q := f.pods.get(p.Namespace, p.Name); q != nil && q.UID == p.UID && q.Forced != on {
		q.Forced = on
		f.touchPodOwner(q)
	}
}

// MarkPatching notes whether an adoption, release or relabelling of that Pod is in flight.
func (f *Fleet) MarkPatching(p *Pod, on bool) {
	if q := f.pods.get(p.Namespace, p.Name); q != nil && q.UID == p.UID && q.Patching != on {
		q.Patching = on
		f.touchPodOwner(q)
	}
}

func (f *Fleet) touchPodOwner(p *Pod) {
	if d := f.byUID[p.Owner]; d != nil {
		f.TouchSlot(d, p.On)
	} else if p.Owner == "" {
		f.eachMatching(p, func(d *Daemon) { f.TouchSlot(d, p.On) })
	}
}

// ReplacePods takes in a fresh list read at version: what it lacks is gone, unless newer than the list or in flight.
func (f *Fleet) ReplacePods(list []*Pod, version Version, now time.Time) {
	listed := make(map[*Pod]bool, len(list))
	for _, p := range list {
		f.applyPod(p, now, false)
		if q := f.pods.get(p.Namespace, p.Name); q.UID == p.UID {
			listed[q] = true
		}
	}
	var gone []*Pod
	f.podsSeen = max(f.podsSeen, version)
	for p := range f.pods.all {
		if !listed[p] && !p.Creating && p.Version <= version {
			gone = append(gone, p)
		}
	}
	for _, p := range gone {
		f.removePod(p)
	}
}

func (f *Fleet) removePod(p *Pod) {
	f.pods.drop(p)
	f.unlink(p)
	f.vacate(p)
	if n := f.nodes[p.Node()]; n != nil && !p.Terminal() {
		f.wake(n)
	}
}

// link enters a Pod into the indexes and into its owner's slot.
func (f *Fleet) link(p *Pod, now time.Time) {
	if n := f.nodes[p.Node()]; n != nil {
		n.pods.add(p)
	} else if p.Bound {
		c := f.homeless[p.On]
		c.add(p)
		f.homeless[p.On] = c
	}
	if p.Owner == "" {
		add(f.orphans, p.Namespace, p)
		f.eachMatching(p, func(d *Daemon) {
			d.addOrphan(p)
			f.TouchSlot(d, p.On)
		})
		return
	}
	if p.OwnerKind != DaemonSetKind {
		return
	}
	h := f.byOwner[p.Owner]
	h.add(p)
	f.byOwner[p.Owner] = h
	if d := f.byUID[p.Owner]; d != nil && d.Key.Namespace == p.Namespace {
		f.seat(d, p, now)
		f.Touch(d.Key)
	}
}

// seat puts a Pod into its DaemonSet's slot.
func (f *Fleet) seat(d *Daemon, p *Pod, now time.Time) {
	switch {
	case !d.Matches(p.Labels):
		d.released[p] = struct{}{}
		d.nameTaken()
	case p.On == "":
		d.astray[p] = struct{}{}
		d.count(p, 1)
	default:
		d.count(p, 1)
		s := d.slotFor(p.On)
		i, _ := slices.BinarySearchFunc(s.Pods, p, ComparePods)
		s.Pods = slices.Insert(s.Pods, i, p)
		d.mark(s)
		if s.Node == nil && s.Trouble().GoneSince.IsZero() {
			s.Note(func(t *Trouble) { t.GoneSince = now })
		}
	}
}

func (f *Fleet) unlink(p *Pod) {
	if n := f.nodes[p.Node()]; n != nil {
		n.pods.remove(p)
	} else if c, ok := f.homeless[p.Node()]; ok {
		c.remove(p)
		keep(f.homeless, p.Node(), c)
	}
	if p.Owner == "" {
		remove(f.orphans, p.Namespace, p)
		f.eachMatching(p, func(d *Daemon) {
			d.dropOrphan(p)
			f.TouchSlot(d, p.On) // its node may get a Pod now
		})
		return
	}
	if p.OwnerKind != DaemonSetKind {
		return
	}
	h := f.byOwner[p.Owner]
	h.remove(p)
	keep(f.byOwner, p.Owner, h)
	if d := f.byUID[p.Owner]; d != nil && d.Key.Namespace == p.Namespace {
		f.unseat(d, p)
		f.Touch(d.Key)
	}
}

func (f *Fleet) unseat(d *Daemon, p *Pod) {
	if _, ok := d.released[p]; ok {
		delete(d.released, p)
		d.nameTaken()
		return
	}
	d.count(p, -1)
	delete(d.astray, p)
	s := d.slots[p.On]
	if s == nil {
		return
	}
	if i := slices.Index(s.Pods, p); i >= 0 {
		s.Pods = slices.Delete(s.Pods, i, i+1)
	}
	d.mark(s)
}

// vacate drops the slot that a Pod was in, if there is neither a node nor another Pod.
func (f *Fleet) vacate(p *Pod) {
	d := f.byUID[p.Owner]
	if d == nil {
		return
	}
	if s := d.slots[p.On]; s != nil && s.Node == nil && len(s.Pods) == 0 {
		d.dropSlot(s)
	}
}

func (f *Fleet) eachMatching(p *Pod, do func(*Daemon)) {
	for _, d := range f.daemons {
		if d.Key.Namespace == p.Namespace && d.Matches(p.Labels) {
			do(d)
		}
	}
}
