package fleet

import "slices"

// index finds Pods by namespace and name.
type index struct {
	byName map[string]map[string]*Pod
	size   int
}

func (x *index) get(namespace, name string) *Pod { return x.byName[namespace][name] }

func (x *index) put(p *Pod) {
	names := x.byName[p.Namespace]
	if names == nil {
		names = map[string]*Pod{}
		x.byName[p.Namespace] = names
	}
	before := len(names)
	names[p.Name] = p
	x.size += len(names) - before
}

func (x *index) drop(p *Pod) {
	names := x.byName[p.Namespace]
	before := len(names)
	delete(names, p.Name)
	x.size += len(names) - before
	if len(names) == 0 {
		delete(x.byName, p.Namespace)
	}
}

// all calls yield for every Pod, in no order; yield may drop Pods.
func (x *index) all(yield func(*Pod) bool) {
	for _, names := range x.byName {
		for _, p := range names {
			if !yield(p) {
				return
			}
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
