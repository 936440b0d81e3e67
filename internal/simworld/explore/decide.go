package explore

import (
	"fmt"
	"slices"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// order is one create or delete of a plan.
type order struct {
	node              int
	kind              callKind
	pod               pod
	guarded, nodeGone bool
	reason            fleet.Code
}

// planKey is all that a plan depends on.
type planKey struct {
	leader, template uint8
	views            [maxNodes]view
}

// decider asks the planner, once for each thing that a leader can know.
type decider struct {
	scope   *Scope
	facts   *facts
	planner Planner
	memo    map[planKey][]order
}

// decide gives the orders of the plan that a leader makes of what it knows. seats[i] is the node that takes the place of
// node i in the planner's order.
func (d *decider) decide(s *state, l int, seats []int) ([]order, error) {
	k := planKey{leader: s.epoch[l], template: s.believed[l]}
	for place, i := range seats {
		k.views[place] = s.nodes[i].views[l]
		k.views[place].asked = s.nodes[i].asked(l)
	}
	orders, ok := d.memo[k]
	if !ok {
		var err error
		if orders, err = d.plan(k); err != nil {
			return nil, err
		}
		d.memo[k] = orders
	}
	out := slices.Clone(orders)
	for i := range out {
		out[i].node = seats[out[i].node]
	}
	return out, nil
}

// asked counts the creates of a leader for a node that are not answered.
func (n *node) asked(l int) (count uint8) {
	for _, c := range n.calls {
		count += bitsOf(c.kind == create && c.owner == uint8(l))
	}
	return count
}

// plan makes the plan twice, from facts that came in opposite orders.
func (d *decider) plan(k planKey) ([]order, error) {
	first, err := d.once(k, false)
	if err != nil {
		return nil, err
	}
	second, err := d.once(k, true)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(first, second) {
		return nil, fmt.Errorf("two plans from the same facts differ: %v and %v", first, second)
	}
	return first, nil
}

func (d *decider) once(k planKey, backwards bool) ([]order, error) {
	fl := d.facts.known(k.template, k.views[:d.scope.Nodes], backwards)
	set := fl.Daemon(setKey)
	p, err := d.planner(plan.Input{
		Daemon: set, Revisions: fl.Revisions(set), Orphans: fl.Orphans(set), Now: now, Placement: plan.Direct,
	}, k.leader)
	if err != nil {
		return nil, err
	}
	var out []order
	for _, a := range p.Actions {
		o, err := d.orderOf(a, k)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func (d *decider) orderOf(a plan.Action, k planKey) (order, error) {
	node := -1
	for i := range d.scope.Nodes {
		if nodeName(i) == a.Node {
			node = i
		}
	}
	if node < 0 {
		return order{}, fmt.Errorf("the plan acts on the unknown node %q", a.Node)
	}
	v := &k.views[node]
	o := order{node: node, guarded: a.Guarded, nodeGone: a.NodeGone, reason: a.Reason.Code}
	switch a.Kind {
	case plan.Create:
		o.kind = create
		o.pod = pod{rev: revOf(k.template), phase: pending, name: d.facts.nameFor(node, a.Name, v)}
	case plan.Delete:
		o.kind = remove
		i := slices.IndexFunc(v.pods[:], func(p pod) bool { return p.uid != 0 && uidOf(node, p.uid) == a.Pod.UID })
		if i < 0 {
			return order{}, fmt.Errorf("the plan deletes the Pod %s, which it cannot know", a.Pod.Name)
		}
		o.pod = v.pods[i].bare()
	default:
		return order{}, fmt.Errorf("the plan wants to %s, which is not modelled: %s", a.Kind, a.Reason)
	}
	return o, nil
}

// seatings are the orders of the nodes that a planner may have: all, or only that of the names.
func (c *Scope) seatings() [][]int {
	seats := make([]int, c.Nodes)
	for i := range seats {
		seats[i] = i
	}
	if c.Exact {
		return [][]int{seats}
	}
	return permutations(seats)
}

func permutations(of []int) [][]int {
	if len(of) <= 1 {
		return [][]int{slices.Clone(of)}
	}
	var out [][]int
	for i := range of {
		rest := slices.Delete(slices.Clone(of), i, i+1)
		for _, p := range permutations(rest) {
			out = append(out, append([]int{of[i]}, p...))
		}
	}
	return out
}
