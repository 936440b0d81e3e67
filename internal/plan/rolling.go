package plan

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// pair is what a rollout sees on one node: at most one old and one new Pod, else messy (U156).
type pair struct {
	slot     *fleet.Slot
	old, new *fleet.Pod
	messy    bool
}

// pairOf sorts a slot's Pods that are not on their way out into old and new.
func (p *planner) pairOf(s *fleet.Slot) pair {
	out := pair{slot: s}
	for _, pod := range s.Pods {
		if p.going(pod) {
			continue
		}
		side := &out.old
		if p.updated(pod) {
			side = &out.new
		}
		if *side != nil {
			out.messy = true
		}
		*side = pod
	}
	return out
}

// rolling replaces outdated Pods in place, within maxUnavailable (U155–U169). Old Pods that are not available go first
// and outside the budget; the others go zone by zone, so that no zone loses more than its share.
func (p *planner) rolling(s *fleet.Slot) {
	pr := p.pairOf(s)
	if pr.old == nil && pr.new == nil && !s.Verdict.ShouldRun() {
		return
	}
	p.set(zoned, true)
	if p.counts(pr) {
		p.set(used|lost, true)
	}
	switch {
	case p.unsettled(pr):
	case pr.new != nil:
		p.explainUnavailable(pr.new)
	case p.unclear(pr.old):
	case pr.old.Terminal() || pr.old.Creating:
		// an ended Pod is place's, and one that is being created cannot be replaced yet
	case p.refused(s):
		p.set(used|lost, true) // the refused call may yet be carried out
	case p.available(pr.old):
		p.turn, p.old = candidate, pr.old
	default:
		p.turn, p.old = broken, pr.old
	}
}

// unsettled tells that a rollout has to wait for something else on the node: surplus Pods, an orphan that is being adopted,
// or a Pod that is yet to come (U156, U157).
func (p *planner) unsettled(pr pair) bool {
	return pr.messy || p.settling || p.adopting || (pr.old == nil) == (pr.new == nil)
}

// counts tells whether the node counts against maxUnavailable (U157–U161).
func (p *planner) counts(pr pair) bool {
	if p.unsettled(pr) {
		return true
	}
	if pr.new != nil {
		return !p.available(pr.new)
	}
	return !p.available(pr.old)
}

// explainUnavailable says why a new Pod still counts against the budget.
func (p *planner) explainUnavailable(pod *fleet.Pod) {
	if pod.Terminal() {
		return // place has said why
	}
	if p.available(pod) {
		return
	}
	if at, ready := pod.AvailableAt(p.minReady); ready {
		p.wait(fleet.MinReady, pod.Name, at)
		return
	}
	p.wait(fleet.PodNotReady, pod.Name, time.Time{})
}
