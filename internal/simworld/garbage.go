package simworld

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// gcSoon lets the garbage collector look, if a change may be its concern.
func (w *World) gcSoon(c apimodel.Change) {
	var concerns bool
	switch o := c.New.(type) {
	case *appsv1.DaemonSet:
		concerns = c.Type == watch.Deleted || o.DeletionTimestamp != nil
	default:
		ref := metav1.GetControllerOf(o)
		concerns = ref != nil && (c.Type == watch.Deleted || (c.Type == watch.Added && w.daemonByUID(ref.UID) == nil))
	}
	if concerns {
		w.bookCollect(w.dice.of(forActor, int(c.Version)).between(1, 50*time.Millisecond, 2*time.Second))
	}
}

func (w *World) bookCollect(after time.Duration) {
	if !w.gcBooked {
		w.gcBooked = true
		w.later(after, w.collect)
	}
}

// collect is one round of the garbage collector: dependents of what is gone are deleted, what waits for its dependents is
// served.
func (w *World) collect() {
	w.gcBooked = false
	for _, o := range w.all(apimodel.DaemonSets) {
		ds := o.(*appsv1.DaemonSet)
		switch {
		case ds.DeletionTimestamp == nil:
		case slices.Contains(ds.Finalizers, metav1.FinalizerOrphanDependents):
			w.orphan(ds)
			w.unfinalize(ds, metav1.FinalizerOrphanDependents)
		case slices.Contains(ds.Finalizers, metav1.FinalizerDeleteDependents):
			if w.deleteDependents(ds.UID) {
				w.bookCollect(2 * time.Second)
			} else {
				w.unfinalize(ds, metav1.FinalizerDeleteDependents)
			}
		}
	}
	gone := map[types.UID]bool{}
	for _, o := range w.dependents() {
		if uid := metav1.GetControllerOf(o).UID; w.daemonByUID(uid) == nil && w.daemonUIDs[uid] {
			gone[uid] = true
		}
	}
	for _, uid := range sortedUIDs(gone) {
		w.deleteDependents(uid)
	}
}

// orphan takes a DaemonSet out of its dependents' owners (U243).
func (w *World) orphan(ds *appsv1.DaemonSet) {
	for _, o := range w.dependents() {
		if !metav1.IsControlledBy(o, ds) {
			continue
		}
		switch o := o.(type) {
		case *corev1.Pod:
			next := o.DeepCopy()
			next.OwnerReferences = nil
			w.must(w.API.UpdatePod("garbage-collector", next))
		case *appsv1.ControllerRevision:
			next := o.DeepCopy()
			next.OwnerReferences = nil
			w.must(w.API.UpdateRevision("garbage-collector", next))
		}
	}
}

// deleteDependents asks for the deletion of all that an owner has; it tells whether anything is left.
func (w *World) deleteDependents(owner types.UID) (left bool) {
	for _, o := range w.dependents() {
		if metav1.GetControllerOf(o).UID != owner {
			continue
		}
		uid := o.GetUID()
		opts := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
		var err error
		switch o.(type) {
		case *corev1.Pod:
			if o.GetDeletionTimestamp() == nil {
				err = w.API.DeletePod("garbage-collector", o.GetNamespace(), o.GetName(), opts)
			}
			_, gone := w.API.GetPod(o.GetNamespace(), o.GetName())
			left = left || gone == nil
		case *appsv1.ControllerRevision:
			err = w.API.DeleteRevision("garbage-collector", o.GetNamespace(), o.GetName(), opts)
		}
		if err != nil {
			w.trace("left", "garbage-collector", o.GetName(), err.Error(), 0)
		}
	}
	return left
}

func (w *World) unfinalize(ds *appsv1.DaemonSet, finalizer string) {
	next := ds.DeepCopy()
	next.Finalizers = slices.DeleteFunc(next.Finalizers, func(f string) bool { return f == finalizer })
	w.must(w.API.UpdateDaemonSet("garbage-collector", next))
}
