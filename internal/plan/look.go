package plan

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// turn is what a rollout does with a slot when its turn comes.
type turn uint8

const (
	noTurn turn = iota
	// candidate: the Pod is outdated and serves, so it goes within the budget.
	candidate
	// broken: the Pod is outdated and serves nothing, so it goes outside the budget.
	broken
	// unwanted: with surge, the node no longer qualifies; the Pod goes once enough others serve (U175).
	unwanted
)

// entry is what one slot adds to the plan. It depends on the slot, on the frame and on time, and on no other slot.
type entry struct {
	slot *fleet.Slot
	tally
	turn turn
	// old is the Pod that goes when the slot's turn comes.
	old *fleet.Pod
	// create says why a Pod is to be made, at once or, with a turn, in its turn; nil if none is. name is empty unless that of a
	// create in doubt is to be used again.
	create *fleet.Reason
	name   string
	// refused is the last delay after a refusal: a node that is refused for ever keeps no other waiting.
	refused time.Duration
	// actions are done in any case.
	actions []Action
	waits   []Wait
	// next is when time alone changes the entry; zero when only an event can.
	next time.Time
}

// plain tells that the slot adds nothing but its tally.
func (e *entry) plain() bool {
	return e.turn == noTurn && e.create == nil && len(e.actions) == 0 && len(e.waits) == 0 && e.next.IsZero()
}

// look gives what a slot adds to the plan.
func (p *planner) look(s *fleet.Slot) *entry {
	if p.entry, p.spare = p.spare, nil; p.entry == nil {
		p.entry = &entry{}
	}
	*p.entry = entry{slot: s}
	p.leaving, p.claimed, p.adopting, p.settling = p.leaving[:0], false, false, false
	p.count(s)
	if p.hash != "" { // no Pod is touched without a revision to label it with (U066)
		p.orphansOn(s)
		p.place(s)
		p.update(s)
	}
	p.maturity(s)
	return p.entry
}

// orphansOn notes orphans that are in the way: a node with one on it gets no second Pod meanwhile, and an adopted Pod is judged
// only once it is ours.
func (p *planner) orphansOn(s *fleet.Slot) {
	p.d.OrphansOn(s.NodeName, func(pod *fleet.Pod) {
		p.claimed = p.claimed || !pod.Gone()
		p.adopting = p.adopting || !pod.Leaving()
	})
}

// update sees what the strategy would do with the slot's outdated Pods.
func (p *planner) update(s *fleet.Slot) {
	if s.Node == nil {
		return // its Pods are the quarantine's (D8)
	}
	switch {
	case p.strategy != rollingUpdate:
		p.onDelete(s)
	case p.surging:
		p.surge(s)
	default:
		p.rolling(s)
	}
}

// maturity looks again when the next Pod will have been Ready for minReadySeconds. One that ends counts until it is gone.
func (p *planner) maturity(s *fleet.Slot) {
	for _, pod := range s.Pods {
		if at, ok := pod.AvailableAt(p.minReady); ok {
			p.lookAgain(at)
		}
	}
}
