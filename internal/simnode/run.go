package simnode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// Options say how simulated kubelets behave. The zero value is good.
type Options struct {
	// StartDelay is the time from a Pod's admission to its start, give or take a half by the Pod's UID.
	// Default 200ms; negative means none.
	StartDelay time.Duration
	// StopDelay is the time that a deleted Pod takes to end, unless its grace period is shorter.
	// Default 300ms; negative means none.
	StopDelay time.Duration
	// LeaseInterval is the time between renewals of a node's lease. Default 10s, as a kubelet's; above 500
	// nodes the default grows with their number up to 25s (1,250 nodes), half of the 50s after which a node is unknown.
	LeaseInterval time.Duration
	// StatusInterval is the time between heartbeats of an unchanged node status. Default 5m.
	StatusInterval time.Duration
	// Workers is how many API calls are made at a time. Default 16.
	Workers int
	// Log receives what goes wrong. Default: nothing is logged.
	Log logr.Logger
}

const (
	leaseInterval    = 10 * time.Second
	maxLeaseInterval = 25 * time.Second
	leasesPerSecond  = 50
)

func choose(given, standard time.Duration) time.Duration {
	switch {
	case given == 0:
		return standard
	case given < 0:
		return 0
	}
	return given
}

func (o Options) timing() timing {
	return timing{
		start:  choose(o.StartDelay, 200*time.Millisecond),
		stop:   choose(o.StopDelay, 300*time.Millisecond),
		status: choose(o.StatusInterval, 5*time.Minute),
	}
}

// leaseEvery is the time between renewals in a fleet of so many nodes.
func (o Options) leaseEvery(nodes int) time.Duration {
	paced := time.Duration(nodes) * time.Second / leasesPerSecond
	return choose(o.LeaseInterval, min(max(paced, leaseInterval), maxLeaseInterval))
}

// Run plays a kubelet for every simulated Node, those that exist and those to come, until ctx is done.
func Run(ctx context.Context, cfg *rest.Config, opts Options) error {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.RateLimiter = -1, nil // a thousand kubelets would each have a limit of their own
	cfg.ContentType = runtime.ContentTypeProtobuf
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	if cfg.UserAgent == "" {
		cfg.UserAgent = "everynode-simnode"
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	return run(ctx, client, opts)
}

func run(ctx context.Context, client kubernetes.Interface, opts Options) error {
	if opts.Workers <= 0 {
		opts.Workers = 16
	}
	if opts.Log.GetSink() == nil {
		opts.Log = logr.Discard()
	}
	events := record.NewBroadcaster(record.WithContext(ctx))
	defer events.Shutdown()
	events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	h := newHub(client, opts, events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet"}))

	var group sync.WaitGroup
	informers := h.informers()
	for _, informer := range informers {
		group.Go(func() { informer.RunWithContext(ctx) })
	}
	synced := []cache.InformerSynced{}
	for _, informer := range informers {
		synced = append(synced, informer.HasSynced)
	}
	// A kubelet that knows only some of its Pods would admit too many.
	if cache.WaitForCacheSync(ctx.Done(), synced...) {
		for range opts.Workers {
			group.Go(func() { h.work(ctx) })
		}
		for range leaseWorkers {
			group.Go(func() { h.leases.work(ctx) })
		}
	}
	<-ctx.Done()
	h.queue.ShutDown()
	h.leases.queue.ShutDown()
	group.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// informers are the two watches that feed all kubelets.
func (h *hub) informers() []cache.Controller {
	nodes := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return h.client.CoreV1().Nodes().List(ctx, o)
		},
		WatchFuncWithContext: h.client.CoreV1().Nodes().Watch,
	}, h.client)
	bound := fields.OneTermNotEqualSelector("spec.nodeName", "").String()
	pods := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = bound
			return h.client.CoreV1().Pods("").List(ctx, o)
		},
		WatchFuncWithContext: watchBound(h.client, bound),
	}, h.client)
	return []cache.Controller{
		follow(nodes, &corev1.Node{}, func(o any) { h.nodeSeen(o.(*corev1.Node)) }, func(o any) { h.nodeGone(o.(*corev1.Node)) }),
		follow(pods, &corev1.Pod{}, func(o any) { h.podSeen(o.(*corev1.Pod)) }, func(o any) { h.podGone(o.(*corev1.Pod)) }),
	}
}

// follow makes an informer that tells of each version of an object, and of its end.
func follow(lw cache.ListerWatcher, kind runtime.Object, seen, gone func(any)) cache.Controller {
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: lw,
		ObjectType:    kind,
		Transform:     trim,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    seen,
			UpdateFunc: func(_, o any) { seen(o) },
			DeleteFunc: func(o any) {
				if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
					o = last.Obj
				}
				gone(o)
			},
		},
	})
	return informer
}

// trim drops what no kubelet reads and what takes the most memory.
func trim(o any) (any, error) {
	if object, ok := o.(metav1.Object); ok {
		object.SetManagedFields(nil)
	}
	return o, nil
}
