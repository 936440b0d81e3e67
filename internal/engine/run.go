package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/metrics"
	"github.com/everynode/everynode/internal/plan"
)

// Options say how a controller runs.
type Options struct {
	// Placement is direct or scheduler; empty stands for direct.
	Placement plan.Placement
	// Metrics may be nil.
	Metrics *metrics.Set
	// Ready, if set, is called once all facts are in and the first decisions have been made.
	Ready func()
	// Inspector, if set, may ask the controller what it knows while it acts.
	Inspector *Inspector
	// Logger may be nil; then nothing is logged.
	Logger *slog.Logger
}

// callTimeout bounds one attempt of an API call.
const callTimeout = 30 * time.Second

// Run is one controller against one cluster, until ctx ends. It starts to act when a fresh read of every kind is in.
func Run(ctx context.Context, cfg *rest.Config, opts Options) error {
	c, err := New(cfg, opts)
	if err != nil {
		return err
	}
	return c.Act(ctx)
}

// Controller is one controller against one cluster. It may stand by, with all facts at hand, before it acts.
type Controller struct {
	loop
	client *kubernetes.Clientset
	api    feed.API // for watching and acting; client is for what neither needs
	again  map[feed.Kind]chan struct{}
	// ran is closed when the loop has ended, watching when the feeds have as well; nil before the first Watch.
	ran, watching chan struct{}
	mu            sync.Mutex
}

// New makes a Controller that knows nothing yet.
func New(cfg *rest.Config, opts Options) (*Controller, error) {
	if opts.Placement == "" {
		opts.Placement = plan.Direct
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	api, err := feed.Connect(cfg)
	if err != nil {
		return nil, err
	}
	c := &Controller{client: client, api: api, again: map[feed.Kind]chan struct{}{}}
	for _, kind := range feed.Kinds {
		c.again[kind] = make(chan struct{}, 1)
	}
	c.loop = loop{
		opts: opts, exec: act.NewExecutor(act.Cluster(api.Core, api.Apps), callTimeout, act.Sleep),
		events: make(chan feed.Event, 1024), answers: make(chan act.Answer, paceLongest), orders: make(chan order),
	}
	return c, nil
}

// Watch begins to take facts in, until ctx ends; nothing is decided before Act. Once is enough.
func (c *Controller) Watch(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watching != nil {
		return
	}
	c.ran, c.watching = make(chan struct{}), make(chan struct{})
	recorder, stopEvents := act.NewRecorder(c.client, scheme.Scheme)
	c.herald = act.NewHerald(recorder, scheme.Scheme)
	c.herald.OnSent(c.opts.Metrics.EventSent)
	c.core = NewPilot(NewCore(c.opts.Placement, c.herald.Say, meter{set: c.opts.Metrics, log: c.opts.Logger}))
	var feeding sync.WaitGroup
	feeding.Go(func() {
		feed.Run(ctx, c.client, feed.Options{
			Target: match.Target, Again: c.again, API: &c.api,
			OnError: func(kind feed.Kind, err error) {
				c.opts.Metrics.FeedError(string(kind))
				c.opts.Logger.Warn("watch failed and is repeated with backoff", "kind", kind, "error", err)
			},
		}, c.events)
	})
	go func() {
		defer close(c.watching)
		c.run(ctx)
		close(c.ran)
		feeding.Wait()
		c.calls.Wait()
		stopEvents()
	}()
}

// Act decides and acts until ctx ends, and returns when its last calls have ended. Who stood by makes sure first that what it knows
// is no older than the call of Act: another may have acted since.
func (c *Controller) Act(ctx context.Context) error {
	warm := c.warm()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	c.Watch(watching)
	o := order{ctx: ctx}
	if warm {
		if o.newest = c.newest(ctx); o.newest == nil {
			return nil // ctx has ended
		}
	}
	select {
	case c.orders <- o:
		<-c.ran
	case <-ctx.Done():
	case <-c.ran:
	}
	stop() // ends what this call has begun; the watches of who stood by are ended by who had it stand by
	if !warm {
		<-c.watching
	}
	c.calls.Wait()
	return nil
}

func (c *Controller) warm() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watching != nil
}

// newest are the versions up to which the kinds have to be known. It asks until it knows: without the API server nothing can be done
// anyway. It is nil when ctx has ended.
func (c *Controller) newest(ctx context.Context) map[feed.Kind]fleet.Version {
	out := map[feed.Kind]fleet.Version{}
	for _, kind := range feed.Kinds {
		err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
			actx, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			v, err := feed.Newest(actx, c.client, kind)
			if err != nil {
				c.opts.Metrics.FeedError(string(kind))
				c.opts.Logger.Warn("the present version is not known, and is asked for again", "kind", kind, "error", err)
				return false, nil
			}
			out[kind] = v
			return true, nil
		})
		if err != nil {
			return nil
		}
	}
	return out
}
