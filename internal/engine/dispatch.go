package engine

import (
	"time"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// Backoff of failed Pods (U097), of refused creates and of other refused calls.
const (
	failureFirst   = time.Second
	failureLongest = 15 * time.Minute
	failureCalm    = 10 * time.Minute
	refusalFirst   = time.Second
	refusalLongest = time.Minute
)

// dispatch turns a plan into calls as far as pace and ramp allow; the rest comes when an answer does.
func (c *Core) dispatch(d *fleet.Daemon, k *desk, now time.Time) []act.Call {
	hash := k.book.Hash()
	var calls []act.Call
	held := false
	for _, group := range k.book.Groups() {
		for a := range group {
			if !c.mayStart(k, a, now) {
				held = true
				break
			}
			calls = append(calls, c.start(d, k, a, hash, now))
			if a.Kind == plan.Revise {
				break // one after the other: each follows from the last
			}
		}
	}
	p := k.book.Numbers()
	k.wake = p.Next
	k.settled = k.busy == 0 && settled(p.Counts)
	c.tell(d, k, p, now)
	c.sumUp(d, k, now)
	if at := k.ramp.ResumeAt(); held && at.After(now) {
		k.wakeAt(at) // else the answer of what is under way goes on with it
	}
	if call, ok := c.status(d, k, p, len(calls) > 0 || held, now); ok {
		calls = append(calls, call)
	}
	return calls
}

// tell tells of what the plan itself is reason for, and notes who waits for room.
func (c *Core) tell(d *fleet.Daemon, k *desk, p plan.Plan, now time.Time) {
	for _, e := range report.Planned(p) {
		c.announce(d.Object, e, now)
	}
	for _, w := range p.Waits {
		if w.Reason.Code == fleet.NoRoom || w.Reason.Code == fleet.PortTaken {
			c.Fleet.Wait(d, w.Node)
		}
	}
	c.standstill(d, k, p, now)
}

// stallAfter is how long a rollout may stand still before that is told.
const stallAfter = time.Minute

// standstill tells once of a rollout that has waited for the same nodes for a while.
func (c *Core) standstill(d *fleet.Daemon, k *desk, p plan.Plan, now time.Time) {
	switch {
	case !report.Stalled(p):
		k.stalledOn = 0
	case p.Stamp != k.stalledOn:
		k.stalledOn, k.stalledSince, k.stallTold = p.Stamp, now, false
		k.wakeAt(now.Add(stallAfter))
	case k.stallTold:
	case now.Before(k.stalledSince.Add(stallAfter)):
		k.wakeAt(k.stalledSince.Add(stallAfter))
	default:
		k.stallTold = true
		c.announce(d.Object, report.Stall(p, k.book.Waits), now)
	}
}

// mayStart tells whether a call may go out now. A DaemonSet with nothing in flight may always start one, so that a huge
// one cannot keep it waiting.
func (c *Core) mayStart(k *desk, a plan.Action, now time.Time) bool {
	if a.Kind == plan.Create && k.ramp.Room(now) == 0 {
		return false
	}
	if k.busy == 0 {
		return true
	}
	if rollout(a) {
		return c.pace.SpareRoom() > 0
	}
	return c.pace.Room() > 0
}

// rollout tells that an action replaces a Pod that may go on serving meanwhile: a node without any is more urgent.
func rollout(a plan.Action) bool {
	switch a.Reason.Code {
	case fleet.TemplateOutdated, fleet.SurgeStarted, fleet.SurgeFinished, fleet.CapacityMoved:
		return true
	}
	return false
}

// start notes an action as under way and makes its call.
func (c *Core) start(d *fleet.Daemon, k *desk, a plan.Action, hash string, now time.Time) act.Call {
	k.busy++
	k.movedAt = now
	c.pace.Started()
	if a.Pod != nil {
		pod := *a.Pod // the fleet goes on writing to its own while the call is under way
		a.Pod = &pod
	}
	call := act.Call{Daemon: d.Object, Action: a, Hash: hash, Placement: c.placement}
	switch a.Kind {
	case plan.Create:
		k.ramp.Started()
		call.Pending = plan.Pending(d, hash, a.Node, a.Name, c.placement)
		c.Fleet.Creating(call.Pending, now)
		d.CreateSent(a.Node)
	case plan.DryRun:
		call.Pending = plan.Pending(d, hash, a.Node, a.Name, c.placement)
		stall(d, now)
	case plan.Delete:
		c.Fleet.MarkDeleting(a.Pod, true)
		c.Fleet.MarkForced(a.Pod, a.NodeGone)
		c.ended(d, a, now)
	case plan.Revise:
		stall(d, now)
	default:
		c.Fleet.MarkPatching(a.Pod, true)
	}
	return call
}

// ended moves the backoff of a node whose Pod had ended, and tells about it.
func (c *Core) ended(d *fleet.Daemon, a plan.Action, now time.Time) {
	e, ok := report.Ended(a)
	if !ok {
		return
	}
	c.announce(d.Object, e, now)
	if s := d.Slot(a.Node); s != nil {
		s.Note(func(t *fleet.Trouble) {
			t.Failures = t.Failures.Next(now, d.Object.Generation, failureFirst, failureLongest, failureCalm)
		})
		c.Fleet.TouchSlot(d, a.Node)
	}
}

// callStall is how long history, adoption and dry runs wait for the answer of one of them.
const callStall = 10 * time.Minute

func stall(d *fleet.Daemon, now time.Time) {
	d.Awaited++
	d.Stalled.Until, d.Stalled.Epoch = now.Add(callStall), d.Object.Generation
	d.StalledWhy = fleet.Reason{Code: fleet.CallInFlight}
}
