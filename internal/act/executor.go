package act

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/plan"
)

// Executor carries out calls against one API server. It is safe for use by several goroutines.
type Executor struct {
	api     API
	timeout time.Duration
	pause   Pause
}

// Pause waits for d, or less if ctx ends first.
type Pause func(ctx context.Context, d time.Duration)

// Sleep is the Pause of a real clock.
func Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// NewExecutor makes an Executor; timeout bounds each attempt of a call, pause is what it does between two.
func NewExecutor(api API, timeout time.Duration, pause Pause) *Executor {
	return &Executor{api: api, timeout: timeout, pause: pause}
}

// Do carries out one call and returns when it is known what became of it, or when ctx ends.
func (x *Executor) Do(ctx context.Context, c Call) Answer {
	start := time.Now()
	var a Answer
	switch {
	case c.Status != nil:
		a = x.writeStatus(ctx, c)
	case c.Action.Kind == plan.Create:
		a = x.create(ctx, c)
	case c.Action.Kind == plan.DryRun:
		a = x.dryRun(ctx, c)
	case c.Action.Kind == plan.Delete:
		a = x.delete(ctx, c)
	case c.Action.Kind == plan.Adopt:
		a = x.adopt(ctx, c)
	case c.Action.Kind == plan.Release:
		a = x.release(ctx, c)
	case c.Action.Kind == plan.Relabel:
		a = x.relabel(ctx, c)
	default:
		a = x.revise(ctx, c)
	}
	a.Call, a.Took = c, time.Since(start)
	if ctx.Err() != nil && a.Outcome == Busy {
		a.Outcome = Stopped
	}
	return a
}

// attempt bounds one attempt. ctx is asked first: that of a leader ends by the clock, even where a process that stood
// still has not noticed yet (Lead).
func (x *Executor) attempt(ctx context.Context) (context.Context, context.CancelFunc) {
	actx, cancel := context.WithTimeout(ctx, x.timeout)
	if ctx.Err() != nil {
		cancel()
	}
	return actx, cancel
}

// answered builds the answer to a call that made or changed nothing, from its error.
func answered(err error) Answer {
	o, _, after := classify(err)
	return Answer{Outcome: o, Err: err, RetryAfter: after}
}

// preconditions are what the decision was made on: the Pod's UID always, its resourceVersion where its state was the reason.
func preconditions(a plan.Action) *metav1.Preconditions {
	p := &metav1.Preconditions{UID: &a.Pod.UID}
	if a.Guarded {
		rv := a.Pod.ResourceVersion()
		p.ResourceVersion = &rv
	}
	return p
}
