package engine

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/metrics"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// loop is the one goroutine that owns the Pilot, with what it talks to.
type loop struct {
	opts    Options
	core    *Pilot
	exec    *act.Executor
	herald  *act.Herald
	events  chan feed.Event
	answers chan act.Answer
	orders  chan order
	calls   sync.WaitGroup
	// acting is the context of decisions and calls; nil before the order to act.
	acting context.Context //nolint:containedctx // it is handed over once, and ends earlier than that of the loop
	// patience is when kinds that are still behind are read afresh.
	patience time.Time
	ready    bool
	// looked is when the loop last decided.
	looked time.Time
}

// breath is how far decisions are apart while much happens: what comes meanwhile is decided about together. What comes
// alone does not wait.
const breath = 5 * time.Millisecond

// order has the loop act until ctx ends.
type order struct {
	ctx context.Context //nolint:containedctx // as above
	// newest are versions up to which kinds have to be known; nil for who did not stand by, and reads everything now.
	newest map[feed.Kind]fleet.Version
}

const (
	// smallKind is up to how many objects a kind is read afresh rather than waited for.
	smallKind = 2000
	// barrierPatience is how long a kind is waited for before it is read afresh.
	barrierPatience = 5 * time.Second
)

// run carries values until ctx ends. All events that are there are taken in before anything is decided.
func (c *Controller) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	for {
		var ended <-chan struct{}
		if c.acting != nil {
			ended = c.acting.Done()
		}
		var questions <-chan ask
		if c.ready { // before that, what has not been read would be told as missing
			questions = c.opts.Inspector.questions()
		}
		select {
		case <-ctx.Done():
			return
		case <-ended:
			return
		case o := <-c.orders:
			c.begin(o, time.Now())
		case e := <-c.events:
			c.take(e)
		case a := <-c.answers:
			c.core.Answer(a, time.Now())
		case q := <-questions:
			c.tell(q, time.Now())
		case <-timer.C:
		case now := <-tidy.C:
			c.herald.Forget(now)
		}
		time.Sleep(time.Until(c.looked.Add(breath)))
		c.drain()
		c.count()
		c.looked = time.Now()
		if next := c.decide(c.looked); next.IsZero() { //nolint:contextcheck // calls have the context that came with the order to act
			timer.Reset(time.Hour)
		} else {
			timer.Reset(max(0, time.Until(next)))
		}
	}
}

// begin takes the order to act. A kind that is small, or whose watch is quiet, is read afresh; a large one is waited for: its watch
// will soon have come as far as it has to.
func (c *Controller) begin(o order, now time.Time) {
	c.acting, c.patience = o.ctx, now.Add(barrierPatience)
	if o.newest == nil {
		return
	}
	nodes, _, pods, _ := c.core.Fleet.Sizes()
	sizes := map[feed.Kind]int{feed.Nodes: nodes, feed.Pods: pods}
	for _, kind := range feed.Kinds {
		c.core.Await(kind, o.newest[kind])
		if sizes[kind] <= smallKind {
			c.readAgain(kind)
		}
	}
}

func (c *Controller) readAgain(kind feed.Kind) {
	c.core.Afresh(kind)
	select {
	case c.again[kind] <- struct{}{}:
	default: // it is asked for already
	}
}

// decide starts the calls that may go out now, and gives the moment to look again.
func (c *Controller) decide(now time.Time) time.Time {
	if c.acting == nil || c.acting.Err() != nil {
		return time.Time{}
	}
	if behind := c.core.Behind(); len(behind) > 0 {
		if !now.Before(c.patience) {
			c.patience = now.Add(barrierPatience)
			for _, kind := range slices.DeleteFunc(behind, c.core.Reading) {
				c.readAgain(kind)
			}
		}
		return c.patience
	}
	for _, call := range c.core.Decide(now, time.Now) {
		c.start(call)
	}
	if !c.ready {
		c.ready = true
		if c.opts.Ready != nil {
			c.opts.Ready()
		}
	}
	return c.core.Next()
}

func (c *Controller) count() {
	nodes, daemons, pods, revisions := c.core.Fleet.Sizes()
	c.opts.Metrics.Facts("nodes", nodes)
	c.opts.Metrics.Facts("daemonsets", daemons)
	c.opts.Metrics.Facts("pods", pods)
	c.opts.Metrics.Facts("controllerrevisions", revisions)
}

// drain takes in what else has come, up to a bound that keeps the decisions prompt.
func (c *Controller) drain() {
	for range cap(c.events) {
		select {
		case e := <-c.events:
			c.take(e)
		case a := <-c.answers:
			c.core.Answer(a, time.Now())
		default:
			return
		}
	}
}

func (c *Controller) take(e feed.Event) {
	now := time.Now()
	c.opts.Metrics.FeedEvent(string(e.Kind), e.Type)
	c.opts.Metrics.FeedLag(now.Sub(e.Received))
	c.core.Take(e, now)
}

// start carries a call out beside the loop.
func (c *Controller) start(call act.Call) {
	acting := c.acting
	c.calls.Go(func() {
		a := c.exec.Do(acting, call)
		select {
		case c.answers <- a:
		case <-acting.Done():
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
	c, object := p.Counts, p.Daemon.Object
	row := metrics.DaemonSet{
		Namespace: object.Namespace, Name: object.Name,
		Desired: c.Desired, Current: c.Current, Ready: c.Ready, Available: c.Available, Updated: c.Updated, Misscheduled: c.Misscheduled,
		Waiting: map[string]int{}, Conditions: map[string]metrics.Condition{},
	}
	for code, n := range p.Waiting {
		row.Waiting[string(code)] = n
	}
	for _, c := range object.Status.Conditions {
		if slices.Contains(report.ConditionTypes, c.Type) { // those of others are theirs to tell
			row.Conditions[string(c.Type)] = metrics.Condition{True: c.Status == corev1.ConditionTrue, Reason: c.Reason}
		}
	}
	m.set.DaemonSet(string(p.Daemon.UID), row)
}

func (m meter) Forgotten(daemonSet types.UID) { m.set.Forget(string(daemonSet)) }

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
