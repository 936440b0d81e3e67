package fleet

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// index finds Pods by namespace and name. In a Go map it would be the names that take most, which the Pods have already: here are
// tables of nothing but the Pods, and many of them, so that none takes long to grow. Its zero value is empty.
type index struct {
	tables [256]table
	size   int
}

// table is a hash table with open addressing, at most three quarters full: a Pod is at its home or, if that is taken, in one of the
// places after it, without a gap.
type table struct {
	places []*Pod
	size   int
}

// seed is another in each process: nobody can choose names that meet.
var seed = maphash.MakeSeed()

func hashOf(namespace, name string) uint64 {
	return maphash.String(seed, name) ^ bits.RotateLeft64(maphash.String(seed, namespace), 1)
}

func (x *index) get(namespace, name string) *Pod {
	sum := hashOf(namespace, name)
	return x.tables[sum>>56].get(sum, namespace, name)
}

func (x *index) put(p *Pod) {
	sum := hashOf(p.Namespace, p.Name)
	x.size += x.tables[sum>>56].put(sum, p)
}

func (x *index) drop(p *Pod) {
	sum := hashOf(p.Namespace, p.Name)
	x.size -= x.tables[sum>>56].drop(sum, p)
}

// all calls yield for every Pod, in no order; yield leaves the index as it is.
func (x *index) all(yield func(*Pod) bool) {
	for i := range x.tables {
		for _, p := range x.tables[i].places {
			if p != nil && !yield(p) {
				return
			}
		}
	}
}

// home is where a Pod of that sum belongs.
func (t *table) home(sum uint64) int {
	home, _ := bits.Mul64(sum<<8, uint64(len(t.places)))
	return int(home) //nolint:gosec // it is less than the length
}

func (t *table) after(i int) int {
	if i++; i < len(t.places) {
		return i
	}
	return 0
}

// distance is how far b comes after a.
func (t *table) distance(a, b int) int {
	if b >= a {
		return b - a
	}
	return b - a + len(t.places)
}

// find is where the Pod of that name is, or, if there is none, where it would go. The table has a free place.
func (t *table) find(sum uint64, namespace, name string) int {
	i := t.home(sum)
	for q := t.places[i]; q != nil && (q.Name != name || q.Namespace != namespace); q = t.places[i] {
		i = t.after(i)
	}
	return i
}

func (t *table) get(sum uint64, namespace, name string) *Pod {
	if t.size == 0 {
		return nil
	}
	return t.places[t.find(sum, namespace, name)]
}

// put takes a Pod in, or in the place of one of that name; added is how many there are more.
func (t *table) put(sum uint64, p *Pod) (added int) {
	if 4*(t.size+1) > 3*len(t.places) {
		t.resize(len(t.places) + len(t.places)/4 + 2)
	}
	i := t.find(sum, p.Namespace, p.Name)
	if t.places[i] == nil {
		added = 1
	}
	t.places[i] = p
	t.size += added
	return added
}

// drop takes the Pod of that name out, if there is one; gone is how many there are fewer.
func (t *table) drop(sum uint64, p *Pod) (gone int) {
	if t.size == 0 {
		return 0
	}
	gap := t.find(sum, p.Namespace, p.Name)
	if t.places[gap] == nil {
		return 0
	}
	// Whoever follows without a gap, and would not be found behind one, moves up.
	for i := t.after(gap); t.places[i] != nil; i = t.after(i) {
		q := t.places[i]
		if home := t.home(hashOf(q.Namespace, q.Name)); t.distance(home, i) >= t.distance(gap, i) {
			t.places[gap], gap = q, i
		}
	}
	t.places[gap] = nil
	if t.size--; 4*(t.size+2) < len(t.places) {
		t.resize(2 * (t.size + 2))
	}
	return 1
}

func (t *table) resize(n int) {
	old := t.places
	t.places = make([]*Pod, n)
	for _, p := range old {
		if p != nil {
			t.places[t.find(hashOf(p.Namespace, p.Name), p.Namespace, p.Name)] = p
		}
	}
}

// herd are the Pods that a DaemonSet owns, in no order. A Pod is in one at most, and knows its place there.
type herd []*Pod

func (h *herd) add(p *Pod) {
	p.place = uint32(len(*h)) //nolint:gosec // a cluster has no four billion Pods
	*h = append(*h, p)
}

func (h *herd) remove(p *Pod) {
	pods, last := *h, len(*h)-1
	pods[p.place] = pods[last]
	pods[p.place].place = p.place
	pods[last] = nil
	*h = pods[:last]
}

// crowd are the Pods on one node, in no order: a few hundred at most.
type crowd []*Pod

func (c *crowd) add(p *Pod) { *c = append(*c, p) }

func (c *crowd) remove(p *Pod) {
	pods, last := *c, len(*c)-1
	if i := slices.Index(pods, p); i >= 0 {
		pods[i], pods[last] = pods[last], nil
		*c = pods[:last]
	}
}

// keep puts a list back from which a Pod was taken; one that is empty goes.
func keep[K comparable, L ~[]*Pod](m map[K]L, k K, list L) {
	if len(list) == 0 {
		delete(m, k)
		return
	}
	m[k] = list
}
