package apimodel

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// insert stores a new object, giving it what the server gives. dryRun goes through all but the storing.
func (s *Server) insert(actor string, k Kind, o metav1.Object, dryRun bool) error {
	if o.GetResourceVersion() != "" && !dryRun {
		return versionOnCreate()
	}
	if s.tables[k].objects[keyOf(o)] != nil {
		if o.GetGenerateName() != "" { // given a name too, the server still takes it for one that it made up
			return apierrors.NewGenerateNameConflict(k.resource(), o.GetName(), 1)
		}
		return apierrors.NewAlreadyExists(k.resource(), o.GetName())
	}
	if dryRun {
		return nil
	}
	s.store(Change{Kind: k, Type: watch.Added, Actor: actor, New: o})
	return nil
}

// begin gives a new object what the server gives, whatever the request said, and validates it.
func (s *Server) begin(k Kind, o metav1.Object) error {
	s.uids++
	if o.GetName() == "" {
		if o.GetGenerateName() == "" {
			return invalid(k, "", "metadata.name: Required value: name or generateName is required")
		}
		o.SetName(fmt.Sprintf("%s%05d", o.GetGenerateName(), s.uids))
	}
	o.SetUID(types.UID("uid-" + strconv.FormatUint(s.uids, 10)))
	o.SetCreationTimestamp(metav1.NewTime(s.Now().Truncate(time.Second)))
	o.SetDeletionTimestamp(nil)
	o.SetDeletionGracePeriodSeconds(nil)
	return settleOwners(k, o)
}

// request is an update on its way to the store. The server takes what it finds in next and gives what is its own to give.
type request struct {
	actor string
	kind  Kind
	// old is what is stored, next what shall be.
	old, next metav1.Object
	// patched tells that next came of a patch. A patch of a UID is no precondition but a change, and refused as one.
	patched bool
	// check is the kind's own validation; nil for none.
	check func() error
}

// update checks what an update is made from, and stores next in the place of old. An update that changes nothing is no
// change, and one that takes the last finalizer off a deleted object removes it.
func (s *Server) update(r request) error {
	k, old, next := r.kind, r.old, r.next
	if u := next.GetUID(); u != "" && u != old.GetUID() && !r.patched {
		return conflict(k, old.GetName(), fmt.Sprintf("Precondition failed: UID in precondition: %v, UID in object meta: %v", u, old.GetUID()))
	}
	if v := next.GetResourceVersion(); v != "" && v != old.GetResourceVersion() {
		return conflict(k, old.GetName(), "the object has been modified; please apply your changes to the latest version and try again")
	}
	if u := next.GetUID(); u != "" && u != old.GetUID() {
		return invalid(k, old.GetName(), fmt.Sprintf("metadata.uid: Invalid value: %q: field is immutable", u))
	}
	next.SetUID(old.GetUID())
	next.SetResourceVersion(old.GetResourceVersion())
	next.SetCreationTimestamp(old.GetCreationTimestamp())
	if err := checkDeletion(k, old, next); err != nil {
		return err
	}
	if err := settleOwners(k, next); err != nil {
		return err
	}
	if r.check != nil {
		if err := r.check(); err != nil {
			return err
		}
	}
	if old.GetDeletionTimestamp() != nil && graceOf(old) == 0 && len(next.GetFinalizers()) == 0 {
		s.remove(r.actor, k, old)
		return nil
	}
	if differ(old, next) {
		s.replace(r.actor, k, old, next)
	}
	return nil
}

// differ tells whether two states of an object differ. Most updates are of the status, which is the smaller part.
func differ(old, next metav1.Object) bool {
	same := equality.Semantic.DeepEqual
	switch o := old.(type) {
	case *corev1.Pod:
		return !same(o.Status, next.(*corev1.Pod).Status) || !same(old, next)
	case *appsv1.DaemonSet:
		return !same(o.Status, next.(*appsv1.DaemonSet).Status) || !same(old, next)
	default:
		return !same(old, next)
	}
}

// checkDeletion lets an update neither begin nor change a deletion.
func checkDeletion(k Kind, old, next metav1.Object) error {
	if old.GetDeletionTimestamp() != nil {
		next.SetDeletionTimestamp(old.GetDeletionTimestamp())
		for _, f := range next.GetFinalizers() {
			if !slices.Contains(old.GetFinalizers(), f) {
				return invalid(k, old.GetName(), "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizer "+f)
			}
		}
	}
	if next.GetDeletionGracePeriodSeconds() == nil {
		next.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	}
	was, is := old.GetDeletionGracePeriodSeconds(), next.GetDeletionGracePeriodSeconds()
	switch {
	case next.GetDeletionTimestamp() != nil && old.GetDeletionTimestamp() == nil:
		return invalid(k, old.GetName(), "metadata.deletionTimestamp: Invalid value: field is immutable")
	case is != nil && (was == nil || *was != *is):
		return invalid(k, old.GetName(), "metadata.deletionGracePeriodSeconds: Invalid value: field is immutable")
	default:
		return nil
	}
}

// delete removes an object, or marks it and leaves the rest to finalizers and kubelets. period is the grace period of a
// kind that has one, nil for the others. As in the real server, a graceful deletion without any grace is two writes.
func (s *Server) delete(actor string, k Kind, old metav1.Object, o metav1.DeleteOptions, period *int64) error {
	if err := checkPreconditions(k, old, o.Preconditions); err != nil {
		return err
	}
	next := old.(runtime.Object).DeepCopyObject().(metav1.Object)
	graceful, pending := s.beginDelete(old, next, o, period)
	if pending {
		return nil
	}
	if pod, ok := old.(*corev1.Pod); ok && s.AdmitDelete != nil {
		if err := s.AdmitDelete(pod); err != nil {
			return err
		}
	}
	next.SetFinalizers(finalizersFor(old.GetFinalizers(), o))
	if len(next.GetFinalizers()) == 0 && !graceful {
		if p := o.Preconditions; p != nil && p.ResourceVersion != nil && len(old.GetFinalizers()) > 0 {
			return conflict(k, old.GetName(), "Precondition failed: ResourceVersion") // the real server forgets which version it has seen
		}
		s.remove(actor, k, old)
		return nil
	}
	if !graceful && (old.GetDeletionTimestamp() == nil || graceOf(old) > 0) {
		s.markDeleting(next, 0)
	}
	if !equality.Semantic.DeepEqual(old, next) {
		s.replace(actor, k, old, next)
	}
	if len(next.GetFinalizers()) == 0 && graceOf(next) == 0 {
		s.remove(actor, k, next)
	}
	return nil
}

// beginDelete marks an object that is deleted gracefully, or brings the end of its deletion forward. pending tells that it is
// ending already, and not later than asked for; whether it is bound or has ended no longer counts then.
func (s *Server) beginDelete(old, next metav1.Object, o metav1.DeleteOptions, period *int64) (graceful, pending bool) {
	switch {
	case period == nil:
		return false, false
	case old.GetDeletionTimestamp() == nil:
		s.markDeleting(next, *period)
		return true, false
	case graceOf(old) == 0:
		return false, false
	case o.GracePeriodSeconds == nil || atLeastOne(*o.GracePeriodSeconds) >= graceOf(old):
		return false, true
	default:
		s.shorten(next, atLeastOne(*o.GracePeriodSeconds))
		return true, false
	}
}

// atLeastOne is the server's reading of a grace period below zero.
func atLeastOne(grace int64) int64 {
	if grace < 0 {
		return 1
	}
	return grace
}

// finalizersFor are an object's finalizers with what the policy of a delete makes of those of the garbage collector.
func finalizersFor(had []string, o metav1.DeleteOptions) []string {
	add := ""
	switch p := o.PropagationPolicy; {
	case p != nil && *p == metav1.DeletePropagationOrphan:
		add = metav1.FinalizerOrphanDependents
	case p != nil && *p == metav1.DeletePropagationForeground:
		add = metav1.FinalizerDeleteDependents
	case p != nil:
	case slices.Contains(had, metav1.FinalizerOrphanDependents) || slices.Contains(had, metav1.FinalizerDeleteDependents):
		return had
	}
	if add != "" && slices.Contains(had, add) || add == "" && !slices.ContainsFunc(had, collectors) {
		return had
	}
	kept := slices.DeleteFunc(slices.Clone(had), collectors)
	if add != "" {
		kept = append(kept, add)
	}
	return kept
}

// collectors tells of the garbage collector's finalizers.
func collectors(f string) bool {
	return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
}

// markDeleting begins a deletion.
func (s *Server) markDeleting(o metav1.Object, grace int64) {
	if o.GetDeletionTimestamp() == nil && o.GetGeneration() > 0 {
		o.SetGeneration(o.GetGeneration() + 1)
	}
	at := metav1.NewTime(s.Now().Add(time.Duration(grace) * time.Second).Truncate(time.Second))
	o.SetDeletionTimestamp(&at)
	o.SetDeletionGracePeriodSeconds(&grace)
}

// shorten brings the end of a deletion forward, but not into the past: whoever ends the object is given a second at least.
func (s *Server) shorten(o metav1.Object, grace int64) {
	now := s.Now().Truncate(time.Second)
	at := o.GetDeletionTimestamp().Add(time.Duration(grace-graceOf(o)) * time.Second)
	if at.Before(now) {
		at, grace = now, min(grace, 1)
	}
	stamp := metav1.NewTime(at)
	o.SetDeletionTimestamp(&stamp)
	o.SetDeletionGracePeriodSeconds(&grace)
}

// replace stores next in the place of old.
func (s *Server) replace(actor string, k Kind, old, next metav1.Object) {
	s.store(Change{Kind: k, Type: watch.Modified, Actor: actor, Old: old, New: next})
}

func graceOf(o metav1.Object) int64 {
	if g := o.GetDeletionGracePeriodSeconds(); g != nil {
		return *g
	}
	return 0
}

// store commits an object that is new or changed.
func (s *Server) store(c Change) {
	s.version++
	c.Version = s.version
	c.New.SetResourceVersion(strconv.FormatUint(s.version, 10))
	s.tables[c.Kind].objects[keyOf(c.New)] = c.New
	s.note(c)
}

// remove takes an object out. The watch shows it as it was last stored, under the version of the deletion.
func (s *Server) remove(actor string, k Kind, old metav1.Object) {
	s.version++
	delete(s.tables[k].objects, keyOf(old))
	last := old.(runtime.Object).DeepCopyObject().(metav1.Object)
	last.SetResourceVersion(strconv.FormatUint(s.version, 10))
	s.note(Change{Version: s.version, Kind: k, Type: watch.Deleted, Actor: actor, Old: old, New: last})
}

func (s *Server) note(c Change) {
	t := s.tables[c.Kind]
	t.history = append(t.history, c)
	if s.Committed != nil {
		s.Committed(c)
	}
}
