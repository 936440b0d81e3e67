package oracle

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/util/consistency"
	testclock "k8s.io/utils/clock/testing"
)

// informer is one that never runs: its store is filled by hand.
type informer struct {
	cache.SharedIndexInformer
}

func newInformer(of runtime.Object) informer {
	return informer{cache.NewSharedIndexInformer(nil, of, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})}
}

func (i informer) Informer() cache.SharedIndexInformer { return i.SharedIndexInformer }

type (
	daemonSetInformer struct{ informer }
	revisionInformer  struct{ informer }
	podInformer       struct{ informer }
	nodeInformer      struct{ informer }
)

func (i daemonSetInformer) Lister() appslisters.DaemonSetLister {
	return appslisters.NewDaemonSetLister(i.GetIndexer())
}

func (i revisionInformer) Lister() appslisters.ControllerRevisionLister {
	return appslisters.NewControllerRevisionLister(i.GetIndexer())
}

func (i podInformer) Lister() corelisters.PodLister { return corelisters.NewPodLister(i.GetIndexer()) }

func (i nodeInformer) Lister() corelisters.NodeLister {
	return corelisters.NewNodeLister(i.GetIndexer())
}

// upstream is the built-in controller, with nothing running: one call of sync is one sync of the DaemonSet in its stores.
type upstream struct {
	sets, revisions, pods, nodes cache.Indexer

	server       *server
	calls        *calls
	expectations *expectations
	sync         func(context.Context, string) error
	backoff      **flowcontrol.Backoff
	ctx          context.Context
}

// newUpstream makes the controller through its public constructor and then replaces what it calls by recorders. The fields
// are not exported; upstream's own tests set the same ones.
func newUpstream(t testing.TB) *upstream {
	ctx := klog.NewContext(t.Context(), logr.Discard())
	sets, revisions := daemonSetInformer{newInformer(&appsv1.DaemonSet{})}, revisionInformer{newInformer(&appsv1.ControllerRevision{})}
	pods, nodes := podInformer{newInformer(&corev1.Pod{})}, nodeInformer{newInformer(&corev1.Node{})}
	u := &upstream{server: &server{}, calls: &calls{}, ctx: ctx}
	dsc, err := daemon.NewDaemonSetsController(ctx, sets, revisions, pods, nodes, clients{server: u.server}, nil)
	if err != nil {
		t.Fatal(err)
	}
	u.sets, u.revisions, u.pods, u.nodes = sets.GetIndexer(), revisions.GetIndexer(), pods.GetIndexer(), nodes.GetIndexer()
	u.expectations = &expectations{ControllerExpectationsInterface: controller.NewControllerExpectations(), calls: u.calls}
	*field[controller.ControllerExpectationsInterface](dsc, "expectations") = u.expectations
	*field[controller.PodControlInterface](dsc, "podControl") = u.calls
	*field[consistency.ConsistencyStore](dsc, "consistencyStore") = consistency.NewNoopConsistencyStore()
	*field[record.EventRecorder](dsc, "eventRecorder") = &record.FakeRecorder{}
	*field[cache.Indexer](dsc, "podIndexer") = ordered{u.pods}
	u.backoff = field[*flowcontrol.Backoff](dsc, "failedPodsBackoff")
	u.sync = *field[func(context.Context, string) error](dsc, "syncHandler")
	return u
}

// field gives access to an unexported field.
func field[T any](dsc *daemon.DaemonSetsController, name string) *T {
	f := reflect.ValueOf(dsc).Elem().FieldByName(name)
	if want := reflect.TypeFor[T](); f.Type() != want {
		panic("field " + name + " is a " + f.Type().String() + ", not a " + want.String())
	}
	return (*T)(unsafe.Pointer(f.UnsafeAddr())) // the type has just been checked
}

// load makes the world what upstream knows, at the moment now. Nothing of an earlier world stays.
func (u *upstream) load(w *world) {
	for _, s := range []struct {
		store   cache.Indexer
		objects []any
	}{{u.sets, []any{w.ds}}, {u.revisions, anys(w.revisions)}, {u.pods, anys(w.pods)}, {u.nodes, anys(w.nodes)}} {
		if err := s.store.Replace(s.objects, ""); err != nil {
			panic(err)
		}
	}
	u.server.load(w)
	u.expectations.DeleteExpectations(logr.Discard(), w.key())
}

func anys[T any](in []*T) []any {
	out := make([]any, 0, len(in))
	for _, v := range in {
		out = append(out, v)
	}
	return out
}

// rest forgets all backoff, and starts those of the nodes given.
func (u *upstream) rest(now time.Time, keys []string) {
	*u.backoff = flowcontrol.NewFakeBackOff(time.Second, 15*time.Minute, testclock.NewFakeClock(now))
	for _, key := range keys {
		(*u.backoff).Next(key, now)
	}
}

// ordered lists a DaemonSet's Pods and the orphans of its namespace together, in the order of their age; otherwise the order of
// a Go map, and of the two lookups, would decide which of several failed Pods of a node is deleted first.
type ordered struct {
	cache.Indexer
}

func (o ordered) ByIndex(name, value string) ([]any, error) {
	orphans := controller.PodControllerIndexKey(metav1.NamespaceDefault, nil)
	if value == orphans {
		return nil, nil // given with the other lookup
	}
	out, err := o.Indexer.ByIndex(name, value)
	if err != nil {
		return nil, err
	}
	more, err := o.Indexer.ByIndex(name, orphans)
	out = append(out, more...)
	slices.SortFunc(out, func(a, b any) int { return olderPod(asPod(a), asPod(b)) })
	return out, err
}

func asPod(o any) *corev1.Pod {
	p, ok := o.(*corev1.Pod)
	if !ok {
		panic("the index of Pods holds something else")
	}
	return p
}

func olderPod(a, b *corev1.Pod) int {
	return cmp.Or(
		cmp.Compare(b2i(a.Spec.NodeName == ""), b2i(b.Spec.NodeName == "")),
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Name, b.Name),
	)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
