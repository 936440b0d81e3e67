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
func (p *planner) rolling() {
	var candidates, broken []pair
	zones := newZones()
	for _, s := range p.d.Slots() {
		if s.Node == nil {
			continue // its Pods are the quarantine's (D8)
		}
		pr := p.pairOf(s)
		if pr.old == nil && pr.new == nil && !s.Verdict.ShouldRun() {
			continue
		}
		zones.grow(s.Node.Zone())
		if p.counts(pr) {
			p.Budget.Used++
			zones.lose(s.Node.Zone())
		}
		switch {
		case p.unsettled(pr):
		case pr.new != nil:
			p.explainUnavailable(s, pr.new)
		case p.unclear(s, pr.old):
		case p.available(pr.old):
			candidates = append(candidates, pr)
		default:
			broken = append(broken, pr)
		}
	}
	p.replace(p.replaceable(candidates), p.replaceable(broken), zones)
}

// replace lets old Pods go: broken ones, and candidates as far as the budget has room. Without anything to do it asks for no
// dry run either.
func (p *planner) replace(candidates, broken []pair, zones *zones) {
	room := p.Budget.MaxUnavailable - p.Budget.Used
	if len(broken) == 0 && room <= 0 {
		p.outOfBudget(candidates)
		return
	}
	if len(broken)+len(candidates) == 0 || !p.approved(append(broken, candidates...)) {
		return
	}
	for _, pr := range broken {
		p.drop(pr.slot, pr.old, fleet.Reason{Code: fleet.OldPodUnavailable, Detail: "revision " + p.Hash})
	}
	for _, pr := range zones.spread(candidates, room) {
		p.drop(pr.slot, pr.old, fleet.Reason{Code: fleet.TemplateOutdated, Detail: "revision " + p.Hash})
	}
	p.outOfBudget(candidates)
}

// unsettled tells that a rollout has to wait for something else on the node: surplus Pods, an orphan that is being adopted,
// or a Pod that is yet to come (U156, U157).
func (p *planner) unsettled(pr pair) bool {
	node := pr.slot.NodeName
	return pr.messy || p.settling[node] || p.adopting[node] || (pr.old == nil) == (pr.new == nil)
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
func (p *planner) explainUnavailable(s *fleet.Slot, pod *fleet.Pod) {
	if pod.Terminal() {
		return // place has said why
	}
	if p.available(pod) {
		return
	}
	if at, ready := pod.AvailableAt(p.minReady); ready {
		p.wait(s.NodeName, fleet.MinReady, pod.Name, at)
		return
	}
	p.wait(s.NodeName, fleet.PodNotReady, pod.Name, time.Time{})
}

// replaceable leaves out nodes where the new Pod would not fit even with the old one gone: there the old one stays.
// Ended Pods are place's, and one that is being created cannot be replaced yet.
func (p *planner) replaceable(in []pair) []pair {
	out := in[:0:0]
	for _, pr := range in {
		if pr.old.Terminal() || pr.old.Creating {
			continue
		}
		if pr.slot.Verdict.ShouldRun() {
			if no := p.misfit(pr.slot, pr.old); no != nil {
				p.wait(pr.slot.NodeName, no.Code, no.Detail, time.Time{})
				continue
			}
		}
		out = append(out, pr)
	}
	return out
}

// approved tells whether the API server has accepted a Pod of the current revision: one exists, or a dry run said so. If
// not, it asks for the dry run and nothing is deleted yet.
func (p *planner) approved(next []pair) bool {
	if p.d.Approved == p.Hash {
		return true
	}
	for pod := range p.d.EachPod {
		if !pod.Creating && p.updated(pod) {
			return true
		}
	}
	first := next[0]
	p.wait(first.slot.NodeName, fleet.DryRunFirst, p.d.StalledWhy.Detail, p.d.Stalled.Until)
	if !p.stalled {
		p.act(Action{Kind: DryRun, Node: first.slot.NodeName, Pod: first.old, Reason: fleet.Reason{Code: fleet.DryRunFirst, Detail: "revision " + p.Hash}})
	}
	return false
}

// outOfBudget notes the nodes whose turn has not come.
func (p *planner) outOfBudget(candidates []pair) {
	for _, pr := range candidates {
		if !p.leaving[pr.old] {
			p.wait(pr.slot.NodeName, fleet.BudgetUsed, "", time.Time{})
		}
	}
}
