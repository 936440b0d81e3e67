package feed

import (
	"context"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/everynode/everynode/internal/fleet"
)

// Kind is a kind of object that is watched.
type Kind string

// The kinds that a decision needs.
const (
	Nodes      Kind = "nodes"
	Pods       Kind = "pods"
	DaemonSets Kind = "daemonsets"
	Revisions  Kind = "controllerrevisions"
)

// Kinds are all of them: decisions begin when each has been synced.
var Kinds = []Kind{Nodes, Pods, DaemonSets, Revisions}

// Event is one change, or one whole list.
type Event struct {
	Kind Kind
	// Type is add, update, delete or replace.
	Type string
	// Apply puts the facts into the Fleet; now is when that happens.
	Apply func(f *fleet.Fleet, now time.Time)
	// Synced tells that this is a whole list, so that the kind is known completely.
	Synced bool
}

// Options say how to read objects.
type Options struct {
	// Target gives the node that a Pod without nodeName is pinned to, from its spec.
	Target func(*corev1.PodSpec) (string, bool)
	// OnError is told of lists and watches that failed; they are repeated with backoff. It is called by several goroutines.
	OnError func(Kind, error)
}

// Run feeds events into out until ctx ends.
func Run(ctx context.Context, client kubernetes.Interface, o Options, out chan<- Event) {
	core, apps := client.CoreV1(), client.AppsV1()
	var running sync.WaitGroup
	start := func(kind Kind, object runtime.Object, source source, store mailbox) {
		store.out, store.kind, store.ctx, store.onError = out, kind, ctx, o.OnError
		reflector := cache.NewReflectorWithOptions(source.listWatch(client, kind, o.OnError), object, &store, cache.ReflectorOptions{Name: "everynode/" + string(kind)})
		running.Go(func() { reflector.RunWithContext(ctx) })
	}
	start(Nodes, &corev1.Node{}, source{
		list: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			return core.Nodes().List(ctx, l)
		},
		watch: core.Nodes().Watch,
	}, nodeMailbox())
	start(Pods, &corev1.Pod{}, source{
		list: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			return core.Pods("").List(ctx, l)
		},
		watch: core.Pods("").Watch,
	}, podMailbox(o.Target))
	start(DaemonSets, &appsv1.DaemonSet{}, source{
		list: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			return apps.DaemonSets("").List(ctx, l)
		},
		watch: apps.DaemonSets("").Watch,
	}, daemonSetMailbox())
	start(Revisions, &appsv1.ControllerRevision{}, source{
		list: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			return apps.ControllerRevisions("").List(ctx, l)
		},
		watch: apps.ControllerRevisions("").Watch,
	}, revisionMailbox())
	running.Wait()
}

// source is where objects of one kind come from.
type source struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func (s source) listWatch(client kubernetes.Interface, kind Kind, onError func(Kind, error)) cache.ListerWatcher {
	report := func(ctx context.Context, err error) {
		if err != nil && ctx.Err() == nil && onError != nil {
			onError(kind, explain(kind, err))
		}
	}
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			got, err := s.list(ctx, l)
			report(ctx, err)
			return got, err
		},
		WatchFuncWithContext: func(ctx context.Context, l metav1.ListOptions) (watch.Interface, error) {
			got, err := s.watch(ctx, l)
			report(ctx, err)
			return got, err
		},
	}, client)
}
