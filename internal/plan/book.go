package plan

import (
	"container/heap"
	"slices"
	"time"

	"github.com/google/btree"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Book is the plan of one DaemonSet, kept by difference: an event costs a look at the slots that it touched, however many
// there are. What it gives is what Compute gives from scratch. One goroutine owns it.
type Book struct {
	planner
	// daemon is whose slots were looked at, nil before the first look; lookedAt is when.
	daemon   *fleet.Daemon
	lookedAt time.Time
	// tallies has every slot, entries those that add more than a tally.
	tallies map[*fleet.Slot]kept
	entries map[*fleet.Slot]*entry
	sums    sums
	zones   *zones
	// creates, deeds, broken and unwanted are entries with something to do; candidates are the zones'. waiting are those that
	// something holds up.
	creates, deeds, broken, unwanted, waiting *btree.BTreeG[*entry]
	candidates                                int
	reasons                                   map[fleet.Code]int
	due                                       dueHeap
	// news are waits for room that were found since the last Update.
	news []Wait
	// stamp changes whenever a wait that can hold a rollout up comes or goes.
	stamp uint64
	// looks counts slots looked at.
	looks uint64

	past past
	head head
}

// head is what the plan says about the DaemonSet as a whole.
type head struct {
	problem *fleet.Reason
	budget  Budget
	next    time.Time
	// stalled: history, ownership and dry runs wait for an answer, or back off after a refusal.
	stalled bool
	history []Action
}

// NewBook makes an empty one.
func NewBook() *Book {
	b := &Book{}
	b.reset()
	return b
}

// Looks is how many slots were looked at in all.
func (b *Book) Looks() uint64 { return b.looks }

// Hash is the label of the current revision; empty while that does not exist.
func (b *Book) Hash() string { return b.hash }

// Update takes in what changed: in.Changed names the slots, and anything else of the input may be new as well. After an error,
// or for a DaemonSet that is being deleted, there is nothing to do, and the next Update looks at everything.
func (b *Book) Update(in Input) error {
	b.Input, b.d, b.head, b.news = in, in.Daemon, head{}, nil
	if b.d.Deleting() {
		b.forget() // the garbage collector's (U065, U240)
		return nil
	}
	if sel := b.d.Object.Spec.Selector; sel != nil && len(sel.MatchLabels) == 0 && len(sel.MatchExpressions) == 0 {
		b.forget()
		b.head.problem = &fleet.Reason{Code: SelectingAll, Detail: "a non-empty selector is required"}
		return nil
	}
	if b.head.stalled = b.d.Stalled.Waits(b.Now, b.d.Object.Generation); b.head.stalled {
		b.head.next = sooner(b.head.next, b.d.Stalled.Until, b.Now)
	}
	f, err := b.survey()
	if err != nil {
		b.forget()
		return err
	}
	if b.daemon != b.d || f != b.frame || b.Now.Before(b.lookedAt) {
		b.rebuild(f)
	} else {
		b.refresh()
	}
	b.lookedAt = b.Now
	if err := b.resolveBudget(); err != nil {
		b.forget()
		return err
	}
	return nil
}

// survey sees to the history and gives the frame that the slots are looked at in.
func (b *Book) survey() (frame, error) {
	hash, err := b.history()
	if err != nil {
		return frame{}, err
	}
	surging, err := b.surges()
	return frame{
		hash: hash, template: b.d.Object.Annotations[appsv1.DeprecatedTemplateGeneration], generation: b.d.Object.Generation,
		strategy: b.d.Object.Spec.UpdateStrategy.Type, surging: surging,
		minReady: time.Duration(b.d.Object.Spec.MinReadySeconds) * time.Second,
	}, err
}

// forget has the next Update look at everything.
func (b *Book) forget() {
	b.reset()
	b.daemon, b.hash = nil, ""
}

func (b *Book) reset() {
	b.tallies, b.entries = map[*fleet.Slot]kept{}, map[*fleet.Slot]*entry{}
	b.sums, b.zones, b.candidates, b.reasons, b.due = sums{}, newZones(), 0, map[fleet.Code]int{}, nil
	b.creates, b.deeds, b.broken, b.unwanted, b.waiting = newTree(byRefusal), newTree(byNode), newTree(byNode), newTree(byNode), newTree(byNode)
	b.stamp++
}

// rebuild looks at every slot.
func (b *Book) rebuild(f frame) {
	b.reset()
	b.daemon, b.frame = b.d, f
	for _, s := range b.d.Slots() {
		b.enter(b.look(s), time.Time{})
	}
	b.looks += uint64(len(b.tallies))
}

// refresh looks at what changed, and at what its time has come for.
func (b *Book) refresh() {
	gone := func(s *fleet.Slot) bool { return b.d.Slot(s.NodeName) != s }
	for _, s := range b.Changed {
		if gone(s) { // first, for another slot of that node may have come
			b.renew(s)
		}
	}
	for _, s := range b.Changed {
		if !gone(s) {
			b.renew(s)
		}
	}
	for len(b.due) > 0 && !b.due[0].at.After(b.Now) {
		d := heap.Pop(&b.due).(due)
		if e := b.entries[d.slot]; e != nil && e.next.Equal(d.at) {
			b.renew(d.slot)
		}
	}
}

func (b *Book) renew(s *fleet.Slot) {
	b.looks++
	old, had := b.entries[s]
	k, known := b.tallies[s]
	if had {
		b.leave(old)
	}
	if known {
		b.tell(k, -1)
	}
	delete(b.entries, s)
	delete(b.tallies, s)
	if b.d.Slot(s.NodeName) == s {
		var queued time.Time
		if had {
			queued = old.next
		}
		b.enter(b.look(s), queued)
	}
	if now := b.entries[s]; had != (now != nil) || (had && !slices.EqualFunc(old.waits, now.waits, sameWait)) {
		b.stamp++
	}
}

// sameWait tells whether a rollout is held up for the same reason.
func sameWait(a, b Wait) bool { return a.Reason.Code == b.Reason.Code }

// enter counts an entry in and puts it where it belongs. queued is when the slot is looked at again already.
func (b *Book) enter(e *entry, queued time.Time) {
	k := kept{tally: e.tally}
	if e.has(zoned) {
		k.zone = b.zones.of(e.slot.Node.Zone())
	}
	b.tallies[e.slot] = k
	b.tell(k, 1)
	if e.plain() {
		b.spare = e
		return
	}
	b.entries[e.slot] = e
	b.file(e)
	if !e.next.IsZero() && !e.next.Equal(queued) {
		heap.Push(&b.due, due{e.next, e.slot})
	}
}

// tell adds a tally to the sums, or takes it out.
func (b *Book) tell(k kept, by int) {
	b.sums.add(k.tally, by)
	if k.has(zoned) {
		z := b.zones.list[k.zone]
		z.size += by
		if k.has(lost) {
			z.lost += by
		}
	}
}

// trees gives those that an entry belongs into.
func (b *Book) trees(e *entry, yield func(*btree.BTreeG[*entry])) {
	if e.create != nil && e.turn == noTurn {
		yield(b.creates)
	}
	if len(e.actions) > 0 {
		yield(b.deeds)
	}
	if len(e.waits) > 0 {
		yield(b.waiting)
	}
	switch e.turn {
	case candidate:
		yield(b.zones.list[b.tallies[e.slot].zone].candidates)
	case broken:
		yield(b.broken)
	case unwanted:
		yield(b.unwanted)
	}
}

// file puts an entry where it is found when its turn comes.
func (b *Book) file(e *entry) {
	b.trees(e, func(t *btree.BTreeG[*entry]) { t.ReplaceOrInsert(e) })
	if e.turn == candidate {
		b.candidates++
	}
	for _, w := range e.waits {
		b.reasons[w.Reason.Code]++
	}
}

// leave takes it out again.
func (b *Book) leave(e *entry) {
	b.trees(e, func(t *btree.BTreeG[*entry]) { t.Delete(e) })
	if e.turn == candidate {
		b.candidates--
	}
	for _, w := range e.waits {
		if b.reasons[w.Reason.Code]--; b.reasons[w.Reason.Code] == 0 {
			delete(b.reasons, w.Reason.Code)
		}
	}
}

// fits tells whether the Pod that an entry is to get fits on its node, with the Pod without gone by then; it may be nil. One that
// does not fit is put aside until something changes on its node.
func (b *Book) fits(e *entry, without *fleet.Pod) bool {
	no := b.misfit(e.slot, without)
	if no == nil {
		return true
	}
	w := Wait{Node: e.slot.NodeName, Reason: *no}
	b.leave(e)
	e.turn, e.create = noTurn, nil
	e.waits = append(e.waits, w)
	b.file(e)
	b.news = append(b.news, w)
	b.stamp++
	return false
}

// due is when a slot is looked at again.
type due struct {
	at   time.Time
	slot *fleet.Slot
}

type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop make a dueHeap a heap.Interface.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(due)) }

// Pop takes the last element out.
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	*h = (*h)[:last]
	return d
}
