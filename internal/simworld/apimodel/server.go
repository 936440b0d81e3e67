package apimodel

import (
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
