package engine

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
)

// Announce sends an event about a DaemonSet.
type Announce func(ds *appsv1.DaemonSet, e report.Event, now time.Time)

// Core is one controller without clock, goroutine and network: facts and answers go in, calls come out.
type Core struct {
	Fleet     *fleet.Fleet
	placement plan.Placement
	announce  Announce
	observe   Observer
	pace      *act.Pace
	desks     map[types.UID]*desk
}

// Observer is told what the metrics count. Its methods are called by the goroutine that owns the Core.
type Observer interface {
	// Planned is told the numbers of each plan, with the Book that they are from.
	Planned(p plan.Plan, b *plan.Book, took time.Duration)
	Answered(a act.Answer)
	// Forgotten tells of a DaemonSet that is gone.
	Forgotten(daemonSet types.UID)
	// Joined tells how long a node that joined was without a daemon's Pod.
	Joined(took time.Duration)
}

// Calls in flight over all DaemonSets: where the bound starts and ends.
const (
	paceFirst   = 32
	paceLongest = 128
)

// NewCore makes a Core that knows nothing yet.
func NewCore(placement plan.Placement, announce Announce, observe Observer) *Core {
	return &Core{
		Fleet:     fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) }),
		placement: placement, announce: announce, observe: observe,
		pace:  act.NewPace(paceFirst, paceLongest),
		desks: map[types.UID]*desk{},
	}
}

// desk is what the engine remembers of one DaemonSet's calls between plans.
type desk struct {
	ramp *act.Ramp
	busy int // calls in flight, status apart
	wake time.Time
	// status: what is being written, when the last write went out, and the backoff after a refused one.
	writing     bool
	wroteAt     time.Time
	statusRetry fleet.Backoff
	progress    report.Progress
	made, ended []string // Pods that no event has told of
	summedAt    time.Time
	// movedAt is when a call other than for the status last began or was answered.
	movedAt time.Time
	// settled: with the last plan nothing was under way or left to do, and every node that should be served was.
	settled bool
	// stalledOn tells what the rollout waits for from what it waited for before, since when, and whether that was told.
	stalledOn    uint64
	stalledSince time.Time
	stallTold    bool
	// template is the revision data of daemon's template, and book the plan of it; another template comes with another Daemon.
	template []byte
	book     *plan.Book
	daemon   *fleet.Daemon
}

// templateOf gives the data to compare revisions with, or nil where it cannot be made: the plan will say why.
func (k *desk) templateOf(d *fleet.Daemon) []byte {
	if k.daemon != d {
		data, err := revision.Data(&d.Object.Spec.Template)
		if err != nil {
			return nil
		}
		k.daemon, k.template = d, data
	}
	return k.template
}

func (c *Core) deskOf(d *fleet.Daemon) *desk {
	k := c.desks[d.UID]
	if k == nil {
		k = &desk{ramp: act.NewRamp(), book: plan.NewBook()}
		c.desks[d.UID] = k
	}
	return k
}

// Step decides for every DaemonSet that is dirty or whose time has come, and gives the calls that may go out now.
func (c *Core) Step(now time.Time, clock func() time.Time) []act.Call {
	c.wakeUp(now)
	var calls []act.Call
	for _, d := range c.Fleet.Dirty() {
		first := c.decide(d, now, clock)
		calls = append(calls, first...)
		if slices.ContainsFunc(first, takesEnded) {
			// the successor need not wait for the answer; when the Pod is gone, it would come under its name
			calls = append(calls, c.decide(d, now, clock)...)
		}
	}
	c.sweep()
	return calls
}

func (c *Core) decide(d *fleet.Daemon, now time.Time, clock func() time.Time) []act.Call {
	start, k := clock(), c.deskOf(d)
	if err := k.book.Update(c.input(d, k, now)); err != nil {
		c.announce(d.Object, report.Undecided(err), now)
		return nil // an event changes the DaemonSet; nothing is retried before
	}
	c.observe.Planned(k.book.Numbers(), k.book, clock().Sub(start))
	return c.dispatch(d, k, now)
}

// takesEnded tells that a call deletes a Pod that has ended.
func takesEnded(call act.Call) bool {
	return call.Status == nil && call.Action.Kind == plan.Delete && call.Action.Pod.Terminal()
}

// lookLater is after how long a DaemonSet is looked at that got a copy of one of its revisions.
const lookLater = time.Minute

// input is what a DaemonSet's plan depends on now.
func (c *Core) input(d *fleet.Daemon, k *desk, now time.Time) plan.Input {
	return plan.Input{
		Daemon: d, Revisions: c.Fleet.Revisions(d), Orphans: c.Fleet.Orphans(d), Changed: d.Changed(), Template: k.templateOf(d),
		Now: now, Placement: c.placement,
	}
}

// wakeUp makes dirty whatever waited for this moment. A DaemonSet that is gone waits for nothing any more, even if a call for
// it is still under way.
func (c *Core) wakeUp(now time.Time) {
	for _, uid := range c.Fleet.Later() {
		if k := c.desks[uid]; k != nil {
			k.wakeAt(now.Add(lookLater))
		}
	}
	for uid, k := range c.desks {
		if !k.wake.IsZero() && !now.Before(k.wake) {
			k.wake = time.Time{}
			c.Fleet.TouchUID(uid)
		}
	}
}

// Next is the earliest moment at which Step has something to do without an event; zero if there is none.
func (c *Core) Next() time.Time {
	var next time.Time
	for _, k := range c.desks {
		if !k.wake.IsZero() && (next.IsZero() || k.wake.Before(next)) {
			next = k.wake
		}
	}
	return next
}

// sweep drops the desks of DaemonSets that are gone and have nothing in flight.
func (c *Core) sweep() {
	_, daemons, _, _ := c.Fleet.Sizes()
	if len(c.desks) <= daemons {
		return
	}
	alive := map[types.UID]bool{}
	for _, d := range c.Fleet.Daemons() {
		alive[d.UID] = true
	}
	for uid, k := range c.desks {
		if !alive[uid] && k.busy == 0 && !k.writing {
			delete(c.desks, uid)
			c.observe.Forgotten(uid)
		}
	}
}

// Idle tells that no call is under way, status writes apart.
func (c *Core) Idle() bool { return c.pace.Idle() }

func (k *desk) wakeAt(at time.Time) {
	if !at.IsZero() && (k.wake.IsZero() || at.Before(k.wake)) {
		k.wake = at
	}
}
