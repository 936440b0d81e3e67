package plan

import (
	"cmp"
	"slices"

	"github.com/google/btree"
)

// zone keeps, for one topology zone, how many nodes it has, how many of them lack an available Pod, and whose turn comes.
type zone struct {
	name       string
	size, lost int
	candidates *btree.BTreeG[*entry]
}

// zones are all that were ever met, by number and by name.
type zones struct {
	list   []*zone
	number map[string]uint32
}

func newZones() *zones { return &zones{number: map[string]uint32{}} }

func (z *zones) of(name string) uint32 {
	n, ok := z.number[name]
	if !ok {
		n = uint32(len(z.list))
		z.number[name] = n
		z.list = append(z.list, &zone{name: name, candidates: newTree(byNode)})
	}
	return n
}

// spread yields candidates, each time from the zone that would then have lost the smallest part of its nodes, and within a zone
// by node name. Yield tells whether the node is really taken; it may take its candidate out. It ends when more says so.
func (z *zones) spread(more func() bool, yield func(*entry) (taken bool)) {
	type queue struct {
		*zone
		lost int
		last *entry
	}
	var queues []*queue
	for _, zn := range z.list {
		if zn.candidates.Len() > 0 {
			queues = append(queues, &queue{zone: zn, lost: zn.lost})
		}
	}
	slices.SortFunc(queues, func(a, b *queue) int { return cmp.Compare(a.name, b.name) })
	for len(queues) > 0 && more() {
		best := 0
		for i, q := range queues {
			// (lost+1)/size without fractions
			if (q.lost+1)*max(queues[best].size, 1) < (queues[best].lost+1)*max(q.size, 1) {
				best = i
			}
		}
		q := queues[best]
		if q.last = after(q.candidates, q.last); q.last == nil {
			queues = slices.Delete(queues, best, best+1)
			continue
		}
		if yield(q.last) {
			q.lost++
		}
	}
}

func newTree(less btree.LessFunc[*entry]) *btree.BTreeG[*entry] { return btree.NewG(16, less) }

func byNode(a, b *entry) bool { return a.slot.NodeName < b.slot.NodeName }

// byRefusal puts nodes that were refused behind all others.
func byRefusal(a, b *entry) bool {
	return cmp.Or(cmp.Compare(a.refused, b.refused), cmp.Compare(a.slot.NodeName, b.slot.NodeName)) < 0
}

// after is the first entry behind last, which need not be in the tree any more; the first of all if last is nil, and nil at the
// end.
func after(t *btree.BTreeG[*entry], last *entry) (next *entry) {
	if last == nil {
		next, _ = t.Min()
		return next
	}
	t.AscendGreaterOrEqual(last, func(e *entry) bool {
		if e.slot.NodeName == last.slot.NodeName {
			return true
		}
		next = e
		return false
	})
	return next
}
