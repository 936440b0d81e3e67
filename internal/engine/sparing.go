package engine

import (
	"time"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// settled tells that every node that should have a Pod has an available one of the current revision, and no other node has one.
func settled(c plan.Counts) bool {
	return c.Current == c.Desired && c.Available == c.Desired && c.Updated == c.Desired && c.Misscheduled == 0
}

// Events that sum up creates and deletes of one DaemonSet: how far they are apart while it goes on, and how many calls are worth one
// before a round has ended.
const (
	sumGap  = 30 * time.Second
	sumMany = 50
)

// sumUp tells of creates and deletes in one event each: at the end of a round, but of many rounds only every now and then.
func (c *Core) sumUp(d *fleet.Daemon, k *desk, now time.Time) {
	n := len(k.made) + len(k.ended)
	if n == 0 {
		return
	}
	if next := k.summedAt.Add(sumGap); !k.settled && now.Before(next) {
		k.wakeAt(next)
		return
	}
	if k.busy > 0 && n < sumMany {
		return // the answers of what is under way go on with it
	}
	if len(k.made) > 0 {
		c.announce(d.Object, report.Created(k.made), now)
	}
	if len(k.ended) > 0 {
		c.announce(d.Object, report.Deleted(k.ended), now)
	}
	k.made, k.ended, k.summedAt = nil, nil, now
}

// Status writes of one DaemonSet: how far they are apart while it is on its way, while its Pods change by themselves, and when all is
// done.
const (
	statusBusy  = 2 * time.Second
	statusQuiet = time.Second
	statusCalm  = 100 * time.Millisecond
	// What each DaemonSet that is on its way or keeps changing adds to the gap, for those on their way and for those that change by
	// themselves: with twenty there are two writes a second in all, or eight. No gap is longer than statusLongest.
	statusShare      = 500 * time.Millisecond
	statusQuietShare = 125 * time.Millisecond
	statusLongest    = 10 * time.Second
	// wayLimit is how long after its last call a DaemonSet that has not settled counts as on its way.
	wayLimit = 10 * time.Second
)

// onItsWay tells that calls are under way, or that what the last ones did has yet to show.
func (k *desk) onItsWay(now time.Time) bool {
	return k.busy > 0 || !k.settled && now.Before(k.movedAt.Add(wayLimit))
}

// changing tells that the DaemonSet is on its way, or has not settled and was news a short while ago.
func (k *desk) changing(now time.Time) bool {
	return k.onItsWay(now) || !k.settled && now.Before(k.wroteAt.Add(statusLongest))
}

// statusGap is how long after one status write the next may go out. The last news is told at once, and so is that a spec was seen.
func (c *Core) statusGap(d *fleet.Daemon, k *desk, active bool, now time.Time) time.Duration {
	gap, share := statusQuiet, statusQuietShare
	switch {
	case d.Object.Status.ObservedGeneration < d.Object.Generation:
		return 0
	case active || k.onItsWay(now):
		gap, share = statusBusy, statusShare
	case k.settled:
		return statusCalm
	}
	changing := 0
	for _, other := range c.desks {
		if other.changing(now) {
			changing++
		}
	}
	return min(max(gap, time.Duration(changing)*share), statusLongest)
}

// status gives the status write that the plan calls for, unless one is under way or was a moment ago.
func (c *Core) status(d *fleet.Daemon, k *desk, p plan.Plan, active bool, now time.Time) (act.Call, bool) {
	if p.Hash == "" || d.Deleting() {
		return act.Call{}, false
	}
	k.progress = k.progress.After(p, now)
	k.wakeAt(k.progress.Due(p, now))
	if k.writing {
		return act.Call{}, false
	}
	at := k.wroteAt.Add(c.statusGap(d, k, active, now))
	if k.statusRetry.Waits(now, 0) && k.statusRetry.Until.After(at) {
		at = k.statusRetry.Until
	}
	if now.Before(at) {
		k.wakeAt(at) // whether there will be news is seen then
		return act.Call{}, false
	}
	want := report.Status(p, k.progress, k.book.Waits, now)
	if !report.Differs(d.Object.Status, want) {
		return act.Call{}, false
	}
	k.writing, k.wroteAt = true, now
	return act.Call{Daemon: d.Object, Status: &want}, true
}
