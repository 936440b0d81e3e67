package engine

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// Answer takes in what became of a call: first as a fact, then as a lesson about pace and backoff.
func (c *Core) Answer(a act.Answer, now time.Time) {
	c.observe.Answered(a)
	key := types.NamespacedName{Namespace: a.Daemon.Namespace, Name: a.Daemon.Name}
	d := c.Fleet.Daemon(key)
	if d != nil && d.UID != a.Daemon.UID {
		d = nil
	}
	k := c.desks[a.Daemon.UID]
	c.takeIn(a, now)
	if k == nil {
		return
	}
	if a.Status != nil {
		c.statusAnswered(d, k, a, now)
		return
	}
	k.busy--
	k.movedAt = now
	c.pace.Answered(a.Outcome, now)
	if a.Action.Kind == plan.Create {
		k.ramp.Answered(a.Outcome, now, a.RetryAfter)
	}
	if d != nil {
		c.learn(d, k, a, now)
		c.Fleet.TouchSlot(d, a.Action.Node)
	}
}

// takeIn applies the objects that came with an answer; the fleet keeps whatever is newer.
func (c *Core) takeIn(a act.Answer, now time.Time) {
	switch a.Action.Kind {
	case plan.Create:
		if a.Status == nil && a.Outcome != act.Done && a.Outcome != act.Stopped {
			c.Fleet.NotCreated(a.Pending)
		}
	case plan.Delete:
		if a.Outcome != act.Done && a.Outcome != act.Gone {
			c.Fleet.MarkDeleting(a.Action.Pod, false)
			c.Fleet.MarkForced(a.Action.Pod, false)
		}
	case plan.Adopt, plan.Release, plan.Relabel:
		c.Fleet.MarkPatching(a.Action.Pod, false)
	}
	if a.Pod != nil && a.Outcome != act.Taken {
		if v, err := feed.ParseVersion(a.Pod.ResourceVersion); err == nil {
			node, _ := match.Target(&a.Pod.Spec)
			c.Fleet.ApplyAnswer(fleet.NewPod(a.Pod, v, node), now)
		}
	}
	if a.Revision != nil {
		if v, err := feed.ParseVersion(a.Revision.ResourceVersion); err == nil {
			c.Fleet.AnswerRevision(a.Revision, v)
		}
	}
	if a.DaemonSet != nil {
		if v, err := feed.ParseVersion(a.DaemonSet.ResourceVersion); err == nil {
			c.Fleet.ApplyDaemon(a.DaemonSet, v, true, now)
		}
	}
}

// learn moves the backoffs of a slot or DaemonSet, and tells about refusals.
func (c *Core) learn(d *fleet.Daemon, k *desk, a act.Answer, now time.Time) {
	if a.Answered() {
		c.announce(d.Object, report.Refused(a.Action, a.Err), now)
	}
	switch a.Action.Kind {
	case plan.Create:
		if a.Outcome == act.Done {
			k.made = append(k.made, a.Pod.Name)
		}
		c.learnCreate(d, a, now)
	case plan.Delete:
		if a.Outcome == act.Done {
			k.ended = append(k.ended, a.Action.Pod.Name)
		}
		c.learnDelete(d, a, now)
	case plan.DryRun:
		c.settleStall(d, a, now)
		if a.Outcome == act.Done {
			d.Approved = a.Hash
		}
	default:
		c.settleStall(d, a, now)
	}
}

// learnCreate keeps what a create's answer means for the slot.
func (c *Core) learnCreate(d *fleet.Daemon, a act.Answer, now time.Time) {
	unsure := ""
	if a.Unsure {
		unsure = a.Action.Name
	}
	d.CreateAnswered(a.Action.Node, unsure, now.Add(lateLimit), now)
	s := d.Slot(a.Action.Node)
	if s == nil {
		return
	}
	switch a.Outcome {
	case act.Done:
		s.Note(func(t *fleet.Trouble) { t.Refusals, t.Refused = fleet.Backoff{}, "" })
		if s.Node != nil && s.Node.Seen.After(d.Seen) && !s.Served {
			c.observe.Joined(now.Sub(s.Node.Seen))
		}
		s.Served = true
	case act.Taken:
		s.Note(func(t *fleet.Trouble) { t.Taken = a.Pod.UID })
	case act.Stopped:
	default: // whatever the server said, a webhook may have said it for it, and will again
		hold(d, s, a, now)
	}
}

// lateLimit is for how long a request that was not answered may still be carried out. API servers end a request after a
// minute (--request-timeout); as much again is for its way there.
const lateLimit = 2 * time.Minute

// learnDelete keeps what a delete's answer means for the slot. A conflict that brought the changed Pod home is planned
// again at once; any other failure waits.
func (c *Core) learnDelete(d *fleet.Daemon, a act.Answer, now time.Time) {
	s := d.Slot(a.Action.Node)
	switch {
	case s == nil:
	case a.Outcome == act.Done || a.Outcome == act.Gone:
		s.Note(func(t *fleet.Trouble) { t.Refusals, t.Refused = fleet.Backoff{}, "" })
	case a.Outcome == act.Conflict && a.Pod != nil:
	default:
		hold(d, s, a, now)
	}
}

// refusedAgain is the backoff after one more refused call of any kind.
func refusedAgain(b fleet.Backoff, now time.Time, epoch int64) fleet.Backoff {
	return b.Next(now, epoch, refusalFirst, refusalLongest, refusalLongest)
}

func hold(d *fleet.Daemon, s *fleet.Slot, a act.Answer, now time.Time) {
	s.Note(func(t *fleet.Trouble) {
		t.Refusals, t.Refused = refusedAgain(t.Refusals, now, d.Object.Generation), a.Why()
	})
}

// settleStall ends the wait for the answer of a call to history, ownership or dry run, or begins a backoff. What was asked for
// another spec says nothing, and none that comes while another is awaited ends the wait.
func (c *Core) settleStall(d *fleet.Daemon, a act.Answer, now time.Time) {
	if a.Daemon.Generation != d.Object.Generation {
		return
	}
	if a.Action.Kind == plan.Revise || a.Action.Kind == plan.DryRun {
		d.Awaited = max(0, d.Awaited-1) // a DaemonSet that was gone from a list for a moment has begun to count afresh
	}
	if d.Awaited > 0 {
		return
	}
	home := a.Pod != nil || a.Revision != nil || a.DaemonSet != nil
	if a.Outcome == act.Done || a.Outcome == act.Stopped || (a.Outcome == act.Conflict && home) {
		d.Stalled, d.StalledWhy = fleet.Backoff{}, fleet.Reason{}
		return
	}
	d.Stalled = refusedAgain(d.Stalled, now, d.Object.Generation)
	d.StalledWhy = fleet.Reason{Code: fleet.CallBackoff, Detail: a.Why()}
}

func (c *Core) statusAnswered(d *fleet.Daemon, k *desk, a act.Answer, now time.Time) {
	k.writing = false
	switch a.Outcome {
	case act.Done, act.Stopped:
		k.statusRetry = fleet.Backoff{}
	default:
		k.statusRetry = refusedAgain(k.statusRetry, now, 0)
	}
	if d != nil {
		c.Fleet.Touch(d.Key) // what changed while the write was under way
	}
}
