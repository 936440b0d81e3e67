package plan

import (
	"fmt"

	"github.com/everynode/everynode/internal/fleet"
)

// ownership adopts orphans and releases Pods that the selector no longer matches (U049–U054). A node with an orphan on
// it gets no second Pod meanwhile, and an adopted Pod is judged only once it is ours.
func (p *planner) ownership() {
	for _, pod := range p.Orphans {
		if node := pod.On(); node != "" && !pod.Gone() {
			p.claimed[node] = true
		}
		if pod.Leaving() {
			continue // never adopted (D5); its successor comes when it has ended
		}
		p.adopting[pod.On()] = true
		if pod.Patching || p.stalled {
			continue
		}
		p.act(Action{Kind: Adopt, Node: pod.On(), Pod: pod, Reason: fleet.Reason{Code: fleet.SelectorMatches, Detail: "the Pod has no controller"}})
	}
	for _, pod := range p.d.Mismatched() {
		if pod.Patching || p.stalled {
			continue
		}
		p.act(Action{Kind: Release, Node: pod.On(), Pod: pod, Reason: fleet.Reason{Code: fleet.SelectorMismatch, Detail: fmt.Sprintf("labels %s", labelText(pod.Labels))}})
	}
}
