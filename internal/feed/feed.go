package feed

import (
	"context"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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
	// Version is up to where the kind is known after this.
	Version fleet.Version
	// Received is when it came from the API server.
	Received time.Time
}

// Options say how to read objects.
type Options struct {
	// Target gives the node that a Pod without nodeName is pinned to, from its spec.
	Target func(*corev1.PodSpec) (string, bool)
	// API, if set, is what objects are read from, rather than the client: Connect's reads only what matters.
	API *API
	// Again, if it has a channel for a kind, has that kind read afresh with each value that comes.
	Again map[Kind]chan struct{}
	// OnError is told of lists and watches that failed; they are repeated with backoff. It is called by several goroutines.
	OnError func(Kind, error)
}

// Run feeds events into out until ctx ends.
func Run(ctx context.Context, client kubernetes.Interface, o Options, out chan<- Event) {
	api := o.API
	if api == nil {
		api = &API{client.CoreV1(), client.AppsV1()}
	}
	send := func(e Event) {
		e.Received = time.Now()
		select {
		case out <- e:
		case <-ctx.Done():
		}
	}
	var running sync.WaitGroup
	start := func(object runtime.Object, s source) {
		store := NewStore(s.kind, o, send)
		running.Go(func() {
			for ctx.Err() == nil {
				round, cancel := context.WithCancel(ctx)
				stop := cancelOn(round, cancel, o.Again[s.kind])
				cache.NewReflectorWithOptions(s.listWatch(client), object, store, cache.ReflectorOptions{Name: "everynode/" + string(s.kind)}).RunWithContext(round)
				cancel()
				<-stop
			}
		})
	}
	start(&corev1.Node{}, from(Nodes, api.Core.Nodes(), o.OnError))
	start(&corev1.Pod{}, from(Pods, api.Core.Pods(""), o.OnError))
	start(&appsv1.DaemonSet{}, from(DaemonSets, api.Apps.DaemonSets(""), o.OnError))
	start(&appsv1.ControllerRevision{}, from(Revisions, api.Apps.ControllerRevisions(""), o.OnError))
	running.Wait()
}

// cancelOn calls cancel when a value comes, until ctx ends. The channel that it gives is closed when it has ended.
func cancelOn(ctx context.Context, cancel context.CancelFunc, again <-chan struct{}) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-again:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ended
}

// Store is what a reflector fills with objects of one kind.
type Store interface {
	cache.ReflectorStore
	// Transformer turns an object of a list that streams in into what Replace takes for it.
	Transformer() cache.TransformFunc
}

// NewStore makes the store of a kind, which gives every change to send at once; one goroutine may use it.
func NewStore(kind Kind, o Options, send func(Event)) Store {
	switch kind {
	case Nodes:
		return box(kind, nodeReader(), o, send)
	case Pods:
		return box(kind, podReader(o.Target), o, send)
	case DaemonSets:
		return box(kind, daemonSetReader(), o, send)
	default:
		return box(Revisions, revisionReader(), o, send)
	}
}

func box[O metav1.Object, F any](kind Kind, r reader[O, F], o Options, send func(Event)) *mailbox[O, F] {
	return &mailbox[O, F]{reader: r, kind: kind, send: send, onError: o.OnError}
}
