package plan

import (
	"container/heap"
	"fmt"
	"iter"
	"slices"

	"github.com/everynode/everynode/internal/fleet"
)

// Groups are the calls to be made, in the order in which they matter: history, ownership, missing Pods, everything else. They are
// found one by one as they are asked for. Within a group they are alike: who may not make one may not make the next.
func (b *Book) Groups() []iter.Seq[Action] {
	groups := []iter.Seq[Action]{slices.Values(b.head.history)}
	if b.hash == "" {
		return groups // no Pod without a revision to label it with (U066)
	}
	groups = append(groups, b.ownership, b.missing, b.doomed)
	switch {
	case b.strategy != rollingUpdate:
	case b.surging:
		groups = append(groups, b.surged, b.moved)
	default:
		groups = append(groups, b.replaced)
	}
	return groups
}

// ownership adopts orphans and releases Pods that the selector no longer matches (U049–U054).
func (b *Book) ownership(yield func(Action) bool) {
	if b.head.stalled {
		return
	}
	for _, pod := range b.Orphans {
		if pod.Leaving() || pod.Patching {
			continue // one that ends is never adopted (D5); its successor comes when it has ended
		}
		if !yield(Action{Kind: Adopt, Node: pod.On, Pod: pod, Reason: fleet.Reason{Code: fleet.SelectorMatches, Detail: "the Pod has no controller"}}) {
			return
		}
	}
	for _, pod := range b.d.Mismatched() {
		if pod.Patching {
			continue
		}
		if !yield(Action{Kind: Release, Node: pod.On, Pod: pod, Reason: fleet.Reason{Code: fleet.SelectorMismatch, Detail: fmt.Sprintf("labels %s", labelText(pod.Labels))}}) {
			return
		}
	}
}

// missing makes Pods that are not there.
func (b *Book) missing(yield func(Action) bool) {
	for e := after(b.creates, nil); e != nil; e = after(b.creates, e) {
		if b.fits(e, nil) && !yield(b.creation(e)) {
			return
		}
	}
}

// creation is the call that makes an entry's Pod.
func (b *Book) creation(e *entry) Action {
	a := Action{Kind: Create, Node: e.slot.NodeName, Name: e.name, Reason: *e.create}
	if a.Name == "" {
		a.Name = Name(b.d, e.slot)
	}
	return a
}

// doomed deletes Pods that have to go whatever the rollout.
func (b *Book) doomed(yield func(Action) bool) {
	for e := after(b.deeds, nil); e != nil; e = after(b.deeds, e) {
		for _, a := range e.actions {
			if !yield(a) {
				return
			}
		}
	}
}

// room is how many more nodes a rollout may take.
func (b *Book) room() int {
	if b.surging {
		return b.head.budget.MaxSurge - b.sums.used
	}
	return b.head.budget.MaxUnavailable - b.sums.used
}

// replaced lets old Pods go: broken ones, and candidates as far as the budget has room. Without anything to do it asks for no
// dry run either.
func (b *Book) replaced(yield func(Action) bool) {
	if b.asking() {
		b.askFirst(yield)
		return
	}
	for e := after(b.broken, nil); e != nil; e = after(b.broken, e) {
		if b.replaceable(e) && !yield(outgoing(e, fleet.OldPodUnavailable, "revision "+b.hash)) {
			return
		}
	}
	left, stopped := b.room(), false
	b.zones.spread(func() bool { return left > 0 && !stopped }, func(e *entry) bool {
		if !b.replaceable(e) {
			return false
		}
		left--
		stopped = !yield(outgoing(e, fleet.TemplateOutdated, "revision "+b.hash))
		return true
	})
}

// replaceable tells whether the new Pod would fit with the old one gone: else the old one stays.
func (b *Book) replaceable(e *entry) bool {
	return !e.slot.Verdict.ShouldRun() || b.fits(e, e.old)
}

func outgoing(e *entry, code fleet.Code, detail string) Action {
	return Action{Kind: Delete, Node: e.slot.NodeName, Pod: e.old, Guarded: true, Reason: fleet.Reason{Code: code, Detail: detail}}
}

// approved tells whether the API server has accepted a Pod of the current revision: one exists, or a dry run said so.
func (b *Book) approved() bool {
	if b.d.Approved == b.hash {
		return true
	}
	for k := range b.d.EachKind {
		if !k.Creating && (k.Hash == b.hash || ofGeneration(k, b.template)) {
			return true
		}
	}
	return false
}

// askFirst asks for a dry run of the Pod that would come first.
func (b *Book) askFirst(yield func(Action) bool) {
	e := b.first()
	if e == nil || b.head.stalled {
		return
	}
	yield(Action{Kind: DryRun, Node: e.slot.NodeName, Pod: e.old, Reason: fleet.Reason{Code: fleet.DryRunFirst, Detail: "revision " + b.hash}})
}

// first is the node that a rollout in place would begin with, or nil.
func (b *Book) first() (first *entry) {
	for e := after(b.broken, nil); e != nil; e = after(b.broken, e) {
		if b.replaceable(e) {
			return e
		}
	}
	if b.room() > 0 {
		b.zones.spread(func() bool { return first == nil }, func(e *entry) bool {
			if b.replaceable(e) {
				first = e
			}
			return true
		})
	}
	return first
}

// surged puts new Pods beside old ones as far as the budget has room.
func (b *Book) surged(yield func(Action) bool) {
	left, stopped := b.room(), false
	b.zones.spread(func() bool { return left > 0 && !stopped }, func(e *entry) bool {
		if !b.fits(e, nil) {
			return false
		}
		left--
		stopped = !yield(b.creation(e))
		return true
	})
}

// moved lets Pods go from nodes that no longer qualify, as far as enough others serve (U175).
func (b *Book) moved(yield func(Action) bool) {
	left := b.sums.serving - int(b.sums.Desired)
	for e := after(b.unwanted, nil); e != nil && left > 0; e = after(b.unwanted, e) {
		left--
		if !yield(outgoing(e, fleet.CapacityMoved, e.slot.Verdict.Reason.String())) {
			return
		}
	}
}

// Numbers is the plan without its lists, but for Waits: those for room that were found since the last Update.
func (b *Book) Numbers() Plan {
	p := Plan{Daemon: b.d, Hash: b.hash, Counts: b.sums.Counts, Budget: b.head.budget, Problem: b.head.problem, Next: b.head.next, Waits: b.news}
	p.Budget.Used = b.sums.used
	for len(b.due) > 0 && (b.entries[b.due[0].slot] == nil || !b.entries[b.due[0].slot].next.Equal(b.due[0].at)) {
		heap.Pop(&b.due)
	}
	if len(b.due) > 0 {
		p.Next = sooner(p.Next, b.due[0].at, b.Now)
	}
	if len(b.reasons) > 0 || b.candidates+b.broken.Len() > 0 {
		p.Waiting = map[fleet.Code]int{}
	}
	for code, n := range b.reasons {
		p.Waiting[code] = n
	}
	if turns := b.candidates + b.broken.Len(); turns > 0 && b.asking() {
		p.Waiting[fleet.DryRunFirst] = turns
	} else if n := b.candidates - max(0, b.room()); n > 0 {
		p.Waiting[fleet.BudgetUsed] = n
	}
	p.Stamp = b.stamp
	p.Due = len(b.head.history) + b.creates.Len() + b.deeds.Len() + b.broken.Len() + max(0, min(b.candidates, b.room()))
	return p
}

// Full is the plan with its lists.
func (b *Book) Full() Plan {
	var actions []Action
	for _, g := range b.Groups() {
		actions = slices.AppendSeq(actions, g)
	}
	made, gone := map[string]bool{}, map[*fleet.Pod]bool{} // whose turn it is: other calls may be made for its node
	for _, a := range actions {
		switch a.Kind {
		case Create:
			made[a.Node] = true
		case Delete:
			gone[a.Pod] = true
		}
	}
	waits := slices.Collect(b.Waits)
	for e := range b.turns {
		switch {
		case b.asking():
			waits = append(waits, Wait{Node: e.slot.NodeName, Reason: fleet.Reason{Code: fleet.DryRunFirst, Detail: b.d.StalledWhy.Detail}, Until: b.d.Stalled.Until})
		case !made[e.slot.NodeName] && !gone[e.old]:
			waits = append(waits, Wait{Node: e.slot.NodeName, Reason: fleet.Reason{Code: fleet.BudgetUsed}})
		}
	}
	p := b.Numbers()
	p.Actions, p.Waits = actions, waits
	return p
}

// asking tells that a rollout in place does nothing before a dry run.
func (b *Book) asking() bool { return !b.surging && !b.approved() }

// turns yields the entries whose turn has not come, or comes now.
func (b *Book) turns(yield func(*entry) bool) {
	for _, z := range b.zones.list {
		z.candidates.Ascend(yield)
	}
	if b.asking() {
		b.broken.Ascend(yield)
	}
}

// Waits yields the waits by node name, but for those of nodes whose turn has not come.
func (b *Book) Waits(yield func(Wait) bool) {
	b.waiting.Ascend(func(e *entry) bool {
		for _, w := range e.waits {
			if !yield(w) {
				return false
			}
		}
		return true
	})
}
