package fleet

import (
	"bytes"
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Revision is a ControllerRevision of a DaemonSet, or of nobody.
type Revision struct {
	Object  *appsv1.ControllerRevision
	Version Version
	owner   types.UID
}

// ApplyRevision takes in a ControllerRevision as the watch delivers it, in order, or its newer version.
// What an own write's answer has told already makes nothing dirty.
func (f *Fleet) ApplyRevision(o *appsv1.ControllerRevision, version Version) {
	f.revisionsSeen = max(f.revisionsSeen, version)
	f.applyRevision(o, version)
}

// AnswerRevision takes in a ControllerRevision as the answer to an own write has it. The watch may have told by now that it is
// gone.
func (f *Fleet) AnswerRevision(o *appsv1.ControllerRevision, version Version) {
	old := f.revisions[types.NamespacedName{Namespace: o.Namespace, Name: o.Name}]
	if version > f.revisionsSeen || (old != nil && old.Object.UID == o.UID) {
		f.applyRevision(o, version)
	}
}

func (f *Fleet) applyRevision(o *appsv1.ControllerRevision, version Version) {
	key := types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
	old := f.revisions[key]
	if old != nil && version <= old.Version {
		return
	}
	r := &Revision{Object: o, Version: version}
	if ref := metav1.GetControllerOfNoCopy(o); ref != nil {
		r.owner = ref.UID
	}
	f.revisions[key] = r
	if old != nil {
		f.unlinkRevision(old)
		f.touchOwner(old)
	}
	f.linkRevision(r)
	if old == nil && r.owner != "" && o.DeletionTimestamp == nil && f.copied(r) {
		f.later[r.owner] = struct{}{}
		f.eachOwner(r, func(d *Daemon) { d.history = nil })
		return
	}
	f.touchOwner(r)
}

// copied tells that the owner has another revision with the same data: upstream leaves such a copy until the next look (U119), and
// its own specs rely on that. Here that look comes by itself, for it may be a late create of a process that is gone.
func (f *Fleet) copied(r *Revision) bool {
	for o := range f.history[r.owner] {
		if o != r && o.Object.Namespace == r.Object.Namespace && bytes.Equal(o.Object.Data.Raw, r.Object.Data.Raw) {
			return true
		}
	}
	return false
}

// DeleteRevision takes out a ControllerRevision whose deletion the watch delivers under that version.
func (f *Fleet) DeleteRevision(key types.NamespacedName, uid types.UID, version Version) {
	f.revisionsSeen = max(f.revisionsSeen, version)
	if r := f.revisions[key]; r != nil && r.Object.UID == uid {
		delete(f.revisions, key)
		f.unlinkRevision(r)
		f.touchOwner(r)
	}
}

// ReplaceRevisions takes in a fresh list read at version: what it lacks is gone, unless newer than the list.
func (f *Fleet) ReplaceRevisions(list []*appsv1.ControllerRevision, versions []Version, version Version) {
	keep := make(map[types.UID]bool, len(list))
	for i, o := range list {
		keep[o.UID] = true
		f.applyRevision(o, versions[i])
	}
	f.revisionsSeen = max(f.revisionsSeen, version)
	for key, r := range f.revisions {
		if !keep[r.Object.UID] && r.Version <= version {
			f.DeleteRevision(key, r.Object.UID, version)
		}
	}
}

// Revisions are the ControllerRevisions that the DaemonSet owns, and those of nobody that its selector matches (U058),
// by number and name. The list must not be modified; it is another one after a change.
func (f *Fleet) Revisions(d *Daemon) []*appsv1.ControllerRevision {
	if d.history != nil {
		return d.history
	}
	out := []*appsv1.ControllerRevision{}
	for r := range f.history[d.UID] {
		if r.Object.Namespace == d.Key.Namespace {
			out = append(out, r.Object)
		}
	}
	for r := range f.unowned[d.Key.Namespace] {
		if d.Matches(r.Object.Labels) {
			out = append(out, r.Object)
		}
	}
	slices.SortFunc(out, func(a, b *appsv1.ControllerRevision) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Name, b.Name))
	})
	d.history = out
	return out
}

func (f *Fleet) linkRevision(r *Revision) {
	if r.owner != "" {
		add(f.history, r.owner, r)
	} else {
		add(f.unowned, r.Object.Namespace, r)
	}
}

func (f *Fleet) unlinkRevision(r *Revision) {
	if r.owner != "" {
		remove(f.history, r.owner, r)
	} else {
		remove(f.unowned, r.Object.Namespace, r)
	}
}

func (f *Fleet) touchOwner(r *Revision) {
	f.eachOwner(r, func(d *Daemon) {
		d.history = nil
		f.Touch(d.Key)
	})
}

// eachOwner calls do for the DaemonSet that owns a revision, or for those whose selector matches one of nobody.
func (f *Fleet) eachOwner(r *Revision, do func(*Daemon)) {
	if r.owner != "" {
		if d := f.byUID[r.owner]; d != nil {
			do(d)
		}
		return
	}
	for _, d := range f.daemons {
		if d.Key.Namespace == r.Object.Namespace && d.Matches(r.Object.Labels) {
			do(d)
		}
	}
}
