package engine

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// guard stands between the elector and the lease and ends the leader's work earlier than the elector would. The elector
// goes on until it has tried to renew for renewDeadline, even if another replica already has the lease, and it counts from
// when a renewal was answered. Others count from when it was written, so the guard counts from when it was sent.
type guard struct {
	resourcelock.Interface
	times times
	lose  context.CancelCauseFunc

	mu   sync.Mutex
	ends *time.Timer // nil until the lease is held
	over time.Time   // when ends fires
}

// fenced is the context of a leader's work. A process that was stopped and goes on may run the work before the timer that
// ends it; Err looks at the clock, so that whoever asks before a write is told at once.
type fenced struct {
	context.Context
	guard *guard
}

// Err is not nil once the lease may have run out.
func (f fenced) Err() error {
	if err := f.Context.Err(); err != nil {
		return err
	}
	f.guard.mu.Lock()
	defer f.guard.mu.Unlock()
	if time.Now().Before(f.guard.over) {
		return nil
	}
	return context.Canceled
}

// times of a lease. Work ends margin before the lease can have run out.
type times struct {
	duration, renew, retry, margin time.Duration
}

// Create makes the lease.
func (g *guard) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	return g.renewed(sent, g.Interface.Create(ctx, r))
}

// Update renews the lease.
func (g *guard) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	return g.renewed(sent, g.Interface.Update(ctx, r))
}

// Get reads the lease, and sees whether another replica has taken it.
func (g *guard) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	r, raw, err := g.Interface.Get(ctx)
	if err == nil && r.HolderIdentity != g.Identity() && g.held() {
		g.lose(ErrLeaseLost)
	}
	return r, raw, err
}

func (g *guard) held() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ends != nil
}

func (g *guard) renewed(sent time.Time, err error) error {
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = sent.Add(g.times.duration - g.times.margin)
	left := time.Until(g.over)
	if g.ends == nil {
		g.ends = time.AfterFunc(left, func() { g.lose(ErrLeaseLost) })
	} else {
		g.ends.Reset(left)
	}
	return nil
}

// release gives the lease up, if it is still ours, so that the next leader need not wait until it has run out. Nothing may
// be acting any more, and nothing may be renewing.
func (g *guard) release(ctx context.Context) error {
	g.mu.Lock()
	ends := g.ends
	g.mu.Unlock()
	if ends == nil {
		return nil
	}
	ends.Stop()
	r, _, err := g.Interface.Get(ctx)
	if err != nil || r.HolderIdentity != g.Identity() {
		return err
	}
	r.HolderIdentity, r.LeaseDurationSeconds = "", 1
	return g.Interface.Update(ctx, *r)
}
