package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/feed"
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
	// Logger may be nil; then nothing is logged.
	Logger *slog.Logger
}

// callTimeout bounds one attempt of an API call.
const callTimeout = 30 * time.Second

// Run is one controller against one cluster, until ctx ends. It starts to act when a fresh read of every kind is in.
func Run(ctx context.Context, cfg *rest.Config, opts Options) error {
	if opts.Placement == "" {
		opts.Placement = plan.Direct
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	recorder, stopEvents := act.NewRecorder(client, scheme.Scheme)
	defer stopEvents()
	herald := act.NewHerald(recorder, scheme.Scheme)
	l := &loop{
		opts: opts, ctx: ctx,
		core:    NewPilot(NewCore(opts.Placement, herald.Say, meter{set: opts.Metrics, log: opts.Logger})),
		exec:    act.NewExecutor(act.Cluster(client), callTimeout, act.Sleep),
		herald:  herald,
		events:  make(chan feed.Event, 1024),
		answers: make(chan act.Answer, paceLongest),
	}
	var feeding sync.WaitGroup
	feeding.Go(func() {
		feed.Run(ctx, client, feed.Options{
			Target: match.Target,
			OnError: func(kind feed.Kind, err error) {
				opts.Metrics.FeedError(string(kind))
				opts.Logger.Warn("watch failed and is repeated with backoff", "kind", kind, "error", err)
			},
		}, l.events)
	})
	l.run()
	feeding.Wait()
	l.calls.Wait()
	return nil
}

// loop is the one goroutine that owns the Pilot, with what it talks to.
type loop struct {
	opts    Options
	ctx     context.Context
	core    *Pilot
	exec    *act.Executor
	herald  *act.Herald
	events  chan feed.Event
	answers chan act.Answer
	calls   sync.WaitGroup
	ready   bool
}

// run carries values until ctx ends. All events that are there are taken in before anything is decided.
func (l *loop) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case e := <-l.events:
			l.take(e)
		case a := <-l.answers:
			l.core.Answer(a, time.Now())
		case <-timer.C:
		case now := <-tidy.C:
			l.herald.Forget(now)
		}
		l.drain()
		if !l.core.Synced() {
			continue
		}
		for _, call := range l.core.Decide(time.Now(), time.Now) {
			l.start(call)
		}
		l.count()
		if !l.ready {
			l.ready = true
			if l.opts.Ready != nil {
				l.opts.Ready()
			}
		}
		if next := l.core.Next(); next.IsZero() {
			timer.Reset(time.Hour)
		} else {
			timer.Reset(max(0, time.Until(next)))
		}
	}
}

func (l *loop) count() {
	nodes, daemons, pods, revisions := l.core.Fleet.Sizes()
	l.opts.Metrics.Facts("nodes", nodes)
	l.opts.Metrics.Facts("daemonsets", daemons)
	l.opts.Metrics.Facts("pods", pods)
	l.opts.Metrics.Facts("controllerrevisions", revisions)
}

// drain takes in what else has come, up to a bound that keeps the decisions prompt.
func (l *loop) drain() {
	for range cap(l.events) {
		select {
		case e := <-l.events:
			l.take(e)
		case a := <-l.answers:
			l.core.Answer(a, time.Now())
		default:
			return
		}
	}
}

func (l *loop) take(e feed.Event) {
	l.opts.Metrics.FeedEvent(string(e.Kind), e.Type)
	l.core.Take(e, time.Now())
}

// start carries a call out beside the loop.
func (l *loop) start(call act.Call) {
	l.calls.Go(func() {
		a := l.exec.Do(l.ctx, call)
		select {
		case l.answers <- a:
		case <-l.ctx.Done():
		}
	})
}

// meter counts what the Core does.
type meter struct {
	set *metrics.Set
	log *slog.Logger
}

func (m meter) Planned(p plan.Plan, _ *plan.Book, took time.Duration) {
	m.set.Planned(took)
	waits := map[string]int{}
	for code, n := range p.Waiting {
		waits[string(code)] = n
	}
	m.set.Waiting(string(p.Daemon.UID), waits)
}

func (m meter) Forgotten(daemonSet types.UID) { m.set.Waiting(string(daemonSet), nil) }

func (m meter) Joined(took time.Duration) { m.set.NodeToPod(took) }

func (m meter) Answered(a act.Answer) {
	kind := "status"
	if a.Status == nil {
		kind = a.Action.Kind.String()
	}
	m.set.Action(kind, a.Outcome.String(), a.Took)
	if a.Outcome != act.Done {
		m.log.Debug("call not carried out", "call", kind, "outcome", a.Outcome.String(), "daemonset", a.Daemon.Namespace+"/"+a.Daemon.Name, "node", a.Action.Node, "error", a.Err)
	}
}
