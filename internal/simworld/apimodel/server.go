package apimodel

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Kind is a kind of object, by its resource's name.
type Kind string

// The kinds that the model has.
const (
	Nodes      Kind = "nodes"
	Pods       Kind = "pods"
	DaemonSets Kind = "daemonsets"
	Revisions  Kind = "controllerrevisions"
)

// Kinds are all of them.
var Kinds = []Kind{Nodes, Pods, DaemonSets, Revisions}

func (k Kind) resource() schema.GroupResource {
	if k == DaemonSets || k == Revisions {
		return schema.GroupResource{Group: appsv1.GroupName, Resource: string(k)}
	}
	return schema.GroupResource{Resource: string(k)}
}

// Key is an object's namespaced name; nodes have no namespace.
type Key = types.NamespacedName

// Change is one write that was committed.
type Change struct {
	Version uint64
	Kind    Kind
	Type    watch.EventType
	// Actor is who asked for it.
	Actor string
	// Old is the object before, nil for Added; New is it after. For Deleted, New is the last state under the version of the
	// deletion.
	Old, New metav1.Object
}

// Server holds the state of one cluster and all that led to it. One goroutine uses it.
type Server struct {
	// Now is the server's clock.
	Now func() time.Time
	// Admit, if set, is asked about every Pod that is to be created, dry runs included; its error is the answer. It may
	// modify the Pod, as a mutating webhook does.
	Admit func(pod *corev1.Pod, dryRun bool) error
	// AdmitDelete, if set, is asked about every Pod that is to be deleted.
	AdmitDelete func(pod *corev1.Pod) error
	// Closing are namespaces that are being deleted: nothing is created there.
	Closing map[string]bool
	// Committed, if set, is told of every change.
	Committed func(Change)

	version, uids uint64
	tables        map[Kind]*table
}

type table struct {
	objects map[Key]metav1.Object
	history []Change
	// compacted is the oldest version that a watch may start from.
	compacted uint64
}

// New makes an empty cluster.
func New(now func() time.Time) *Server {
	s := &Server{Now: now, Closing: map[string]bool{}, tables: map[Kind]*table{}}
	for _, k := range Kinds {
		s.tables[k] = &table{objects: map[Key]metav1.Object{}}
	}
	return s
}

// Version is the version of the last change.
func (s *Server) Version() uint64 { return s.version }

func keyOf(o metav1.Object) Key { return Key{Namespace: o.GetNamespace(), Name: o.GetName()} }

// lookup gives a stored object, or the error that a read of a missing one gets.
func lookup[O metav1.Object](s *Server, k Kind, key Key) (O, error) {
	o, ok := s.tables[k].objects[key].(O)
	if !ok {
		return o, apierrors.NewNotFound(k.resource(), key.Name)
	}
	return o, nil
}

// insert stores a new object, giving it what the server gives. dryRun goes through all but the storing.
func (s *Server) insert(actor string, k Kind, o metav1.Object, dryRun bool) error {
	if o.GetName() == "" {
		if o.GetGenerateName() == "" {
			return invalid(k, "", "metadata.name: Required value: name or generateName is required")
		}
		s.uids++
		o.SetName(fmt.Sprintf("%s%05d", o.GetGenerateName(), s.uids))
	}
	if o.GetResourceVersion() != "" {
		return apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	if err := checkOwners(k, o); err != nil {
		return err
	}
	if s.tables[k].objects[keyOf(o)] != nil {
		return apierrors.NewAlreadyExists(k.resource(), o.GetName())
	}
	if dryRun {
		return nil
	}
	s.uids++
	o.SetUID(types.UID("uid-" + strconv.FormatUint(s.uids, 10)))
	o.SetCreationTimestamp(metav1.NewTime(s.Now().Truncate(time.Second)))
	s.store(Change{Kind: k, Type: watch.Added, Actor: actor, New: o})
	return nil
}

// update checks what an update is made from, and stores next in the place of old. An update that changes nothing is no
// change, and one that takes the last finalizer off a deleted object removes it.
func (s *Server) update(actor string, k Kind, old, next metav1.Object) error {
	if v := next.GetResourceVersion(); v != "" && v != old.GetResourceVersion() {
		return conflict(k, old.GetName(), "the object has been modified; please apply your changes to the latest version and try again")
	}
	if u := next.GetUID(); u != "" && u != old.GetUID() {
		return conflict(k, old.GetName(), fmt.Sprintf("Precondition failed: UID in precondition: %v, UID in object meta: %v", u, old.GetUID()))
	}
	if err := checkOwners(k, next); err != nil {
		return err
	}
	next.SetUID(old.GetUID())
	next.SetResourceVersion(old.GetResourceVersion())
	next.SetCreationTimestamp(old.GetCreationTimestamp())
	next.SetDeletionTimestamp(old.GetDeletionTimestamp())
	next.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	if reflect.DeepEqual(old, next) {
		return nil
	}
	if next.GetDeletionTimestamp() != nil && len(next.GetFinalizers()) == 0 && graceOf(next) == 0 {
		s.remove(actor, k, next)
		return nil
	}
	s.replace(actor, k, old, next)
	return nil
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

// remove takes an object out; last is a copy that the watch will show.
func (s *Server) remove(actor string, k Kind, last metav1.Object) {
	s.version++
	old := s.tables[k].objects[keyOf(last)]
	delete(s.tables[k].objects, keyOf(last))
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
