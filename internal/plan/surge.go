package plan

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// surge puts a new Pod beside an old one and lets the old one go when the new one is available, within maxSurge
// (U170–U184). An old Pod that serves nothing is replaced outside the budget.
func (p *planner) surge(s *fleet.Slot) {
	pr := p.pairOf(s)
	p.set(zoned, true)
	if pr.messy || p.settling {
		p.set(used, true)
		return
	}
	p.set(serves, p.serving(pr))
	switch {
	case pr.old == nil:
	case pr.new != nil:
		p.overlap(pr)
	case p.unclear(pr.old):
	case !p.available(pr.old):
		p.replaceBroken(pr)
	case p.claimed: // an orphan is there; who stays is seen once it is ours
	case p.unanswered(s):
		p.set(used, true) // if it is refused, there is a pair
	case p.inDoubt(s):
		p.set(used, true)
	case s.Verdict.ShouldRun():
		if p.turn, p.old = candidate, pr.old; !p.creatable(s, fleet.Reason{Code: fleet.SurgeStarted, Detail: "revision " + p.hash}) {
			p.turn, p.old = noTurn, nil
			p.set(used, true) // what was refused or not answered may yet be carried out
		}
	case p.refused(s):
	default:
		p.turn, p.old = unwanted, pr.old
	}
}

// inDoubt tells that a create for the node may yet be carried out, though its answer was lost.
func (p *planner) inDoubt(s *fleet.Slot) bool {
	c := p.d.Creates(s.NodeName)
	if c.Unsure == "" || !p.Now.Before(c.Till) {
		return false
	}
	p.wait(fleet.CallInFlight, c.Unsure+" may yet be made", c.Till)
	return true
}

// unanswered tells whether a running Pod's deletion is under way and may yet be refused: with another Pod beside the old one there would
// be three. So it tells of a second one that has ended: they would pile up for as long as no delete gets an answer.
func (p *planner) unanswered(s *fleet.Slot) bool {
	ended := 0
	for _, pod := range s.Pods {
		if !pod.Deleting || pod.Terminating {
			continue
		}
		if pod.Terminal() {
			ended++
		}
		if !pod.Terminal() || ended > 1 {
			p.wait(fleet.CallInFlight, "deleting "+pod.Name, time.Time{})
			return true
		}
	}
	return false
}

// serving tells whether a node counts as available: by its old Pod, or by the new one where there is no old one (U171).
func (p *planner) serving(pr pair) bool {
	if pr.old != nil {
		return p.available(pr.old)
	}
	return pr.new != nil && p.available(pr.new)
}

// overlap handles a node that holds both (U176).
func (p *planner) overlap(pr pair) {
	if p.available(pr.new) {
		p.drop(pr.slot, pr.old, fleet.Reason{Code: fleet.SurgeFinished, Detail: pr.new.Name + " is available"})
		return
	}
	p.set(used, true)
	p.explainUnavailable(pr.new)
}

// replaceBroken handles a node whose only Pod is old and not available (U173).
func (p *planner) replaceBroken(pr pair) {
	if !pr.slot.Verdict.ShouldRun() {
		p.drop(pr.slot, pr.old, fleet.Reason{Code: fleet.OldPodUnavailable, Detail: pr.slot.Verdict.Reason.String()})
		return
	}
	if p.create == nil && !p.claimed && !pr.old.Terminal() && !p.unanswered(pr.slot) {
		p.creatable(pr.slot, fleet.Reason{Code: fleet.OldPodUnavailable, Detail: pr.old.Name})
	}
}
