package plan

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// surge puts a new Pod beside an old one and lets the old one go when the new one is available, within maxSurge
// (U170–U184). An old Pod that serves nothing is replaced outside the budget.
func (p *planner) surge() {
	var candidates, unwanted []pair
	available := 0
	zones := newZones()
	for _, s := range p.d.Slots() {
		if s.Node == nil {
			continue // its Pods are the quarantine's (D8)
		}
		pr := p.pairOf(s)
		zones.grow(s.Node.Zone())
		if pr.messy || p.settling[s.NodeName] {
			p.Budget.Used++
			continue
		}
		if p.serves(pr) {
			available++
		}
		switch {
		case pr.old == nil:
		case pr.new != nil:
			p.overlap(pr)
		case p.unclear(s, pr.old):
		case !p.available(pr.old):
			p.replaceBroken(pr)
		case p.claimed[s.NodeName]: // an orphan is there; who stays is seen once it is ours
		case p.unanswered(s):
			p.Budget.Used++ // if it is refused, there is a pair
		case s.Verdict.ShouldRun():
			candidates = append(candidates, pr)
		default:
			unwanted = append(unwanted, pr)
		}
	}
	started := map[string]bool{}
	for _, pr := range zones.spread(candidates, p.Budget.MaxSurge-p.Budget.Used) {
		started[pr.slot.NodeName] = true
		p.create(pr.slot, fleet.Reason{Code: fleet.SurgeStarted, Detail: "revision " + p.Hash})
	}
	for _, pr := range candidates {
		if !started[pr.slot.NodeName] {
			p.wait(pr.slot.NodeName, fleet.BudgetUsed, "", time.Time{})
		}
	}
	for _, pr := range unwanted[:min(len(unwanted), max(0, available-int(p.Counts.Desired)))] {
		p.drop(pr.slot, pr.old, fleet.Reason{Code: fleet.CapacityMoved, Detail: pr.slot.Verdict.Reason.String()})
	}
}

// unanswered tells whether a running Pod's deletion is under way and may yet be refused: with another Pod beside the old one
// there would be three.
func (p *planner) unanswered(s *fleet.Slot) bool {
	for _, pod := range s.Pods {
		if pod.Deleting && !pod.Terminating && !pod.Terminal() {
			p.wait(s.NodeName, fleet.CallInFlight, "deleting "+pod.Name, time.Time{})
			return true
		}
	}
	return false
}

// serves tells whether a node counts as available: by its old Pod, or by the new one where there is no old one (U171).
func (p *planner) serves(pr pair) bool {
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
	p.Budget.Used++
	p.explainUnavailable(pr.slot, pr.new)
}

// replaceBroken handles a node whose only Pod is old and not available (U173).
func (p *planner) replaceBroken(pr pair) {
	if !pr.slot.Verdict.ShouldRun() {
		p.drop(pr.slot, pr.old, fleet.Reason{Code: fleet.OldPodUnavailable, Detail: pr.slot.Verdict.Reason.String()})
		return
	}
	if !p.coming[pr.slot.NodeName] && !p.claimed[pr.slot.NodeName] && !pr.old.Terminal() && !p.unanswered(pr.slot) {
		p.create(pr.slot, fleet.Reason{Code: fleet.OldPodUnavailable, Detail: pr.old.Name})
	}
}
