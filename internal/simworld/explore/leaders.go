package explore

import (
	"slices"

	"github.com/everynode/everynode/internal/fleet"
)

// leaders see events, make plans, and fall.
func (w *world) leaders(s *state, next yield) {
	for l := range s.queues {
		w.advance(s, l, next)
	}
	w.wait(s, next)
	w.plan(s, leader, next)
	if s.zombie {
		w.plan(s, paused, next)
		t := *s
		t.endPaused()
		next(t, move{act: pausedEnds})
	}
	if t := *s; spend(&t.left.Crashes) {
		t.abandon(leader)
		t.succeed()
		next(t, move{act: leaderCrashes})
	}
	if t := *s; !t.zombie && spend(&t.left.Pauses) {
		t.pause()
		t.succeed()
		next(t, move{act: leaderPaused})
	}
}

// wait lets the time come that a leader waits for.
func (w *world) wait(s *state, next yield) {
	for i := range w.scope.Nodes {
		v := &s.nodes[i].views[leader]
		if !v.up && !v.aged && v.pods != ([maxPods]pod{}) {
			t := *s
			t.nodes[i].views[leader].aged = true
			next(t, move{act: quarantineEnds, node: i})
		}
		if v.unsure && !s.nodes[i].late(v.unsureName) { // it is longer than any request lives
			t := *s
			t.nodes[i].views[leader].unsure, t.nodes[i].views[leader].unsureName = false, name{}
			next(t, move{act: doubtEnds, node: i})
		}
	}
}

// advance lets a view take in the next event of any of its watches.
func (w *world) advance(s *state, l int, next yield) {
	q := s.queues[l]
	for i, e := range q {
		before := slices.ContainsFunc(q[:i], func(f event) bool { return f.kind.stream() == e.kind.stream() })
		if e.kind == noEvent || before {
			continue
		}
		t := *s
		copy(t.queues[l][i:], q[i+1:])
		t.queues[l][maxLag-1] = event{}
		w.see(&t, l, e)
		next(t, move{act: viewAdvances, leader: l, node: int(e.node), event: e})
	}
}

// plan lets a leader make a plan in every order that the nodes may have, and send its calls.
func (w *world) plan(s *state, l int, next yield) {
	var seen [][]order
	for _, seats := range w.seatings {
		orders, err := w.decider.decide(s, l, seats)
		if err != nil {
			w.failure = err
			return
		}
		if len(orders) == 0 || slices.ContainsFunc(seen, func(o []order) bool { return slices.Equal(o, orders) }) {
			continue
		}
		seen = append(seen, orders)
		w.send(s, l, orders, seats, next)
		if !w.scope.Partial {
			continue
		}
		creates := 0
		for _, o := range orders {
			creates += int(bitsOf(o.kind == create))
		}
		for few := range min(creates, 2) {
			if some := fewer(orders, few); len(some) > 0 && len(some) < len(orders) {
				w.send(s, l, some, seats, next)
			}
		}
	}
}

// fewer leaves out all creates but the first few.
func fewer(orders []order, few int) []order {
	var out []order
	for _, o := range orders {
		if o.kind == create {
			if few--; few < 0 {
				continue
			}
		}
		out = append(out, o)
	}
	return out
}

// send notes the orders as under way and makes their calls. What a paused leader sends is its last.
func (w *world) send(s *state, l int, orders []order, seats []int, next yield) {
	t := *s
	for _, o := range orders {
		n := &t.nodes[o.node]
		if n.unanswered(uint8(l)) >= maxUnanswered {
			return
		}
		kind := startDelete
		if o.kind == create {
			kind = startCreate
		}
		n.views[l] = w.learner.take(n.views[l], lesson{kind: kind, pod: o.pod})
		put(n.calls[:], call{kind: o.kind, owner: uint8(l), pod: o.pod, guarded: o.guarded, nodeGone: o.nodeGone, old: l == paused, excused: o.reason == fleet.PodSurplus})
	}
	if l == paused {
		t.endPaused()
	}
	next(t, move{act: leaderPlans, leader: l, orders: orders, seats: seats, broken: w.scope.mayOrder(s, l, orders)})
}

// unanswered counts a leader's calls for a node.
func (n *node) unanswered(l uint8) int {
	count := 0
	for _, c := range n.calls {
		count += int(bitsOf(c.kind != noCall && c.owner == l))
	}
	return count
}

// abandon leaves a leader's calls to themselves: nobody will hear their answers.
func (s *state) abandon(l uint8) {
	for i := range s.nodes {
		for j := range s.nodes[i].calls {
			c := &s.nodes[i].calls[j]
			switch {
			case c.kind == noCall || c.owner != l:
			case c.step == sent:
				c.owner, c.old = nobody, true
			default:
				*c = call{}
			}
		}
	}
}

// pause puts the leader, as it is, into the second place.
func (s *state) pause() {
	s.zombie = true
	s.believed[paused], s.queues[paused], s.epoch[paused] = s.believed[leader], s.queues[leader], s.epoch[leader]
	for i := range s.nodes {
		n := &s.nodes[i]
		n.views[paused] = n.views[leader]
		for j := range n.calls {
			if c := &n.calls[j]; c.kind != noCall && c.owner == leader {
				c.owner, c.old = paused, true
			}
		}
	}
}

func (s *state) endPaused() {
	s.abandon(paused)
	s.zombie, s.believed[paused], s.queues[paused], s.epoch[paused] = false, 0, [maxLag]event{}, 0
	for i := range s.nodes {
		s.nodes[i].views[paused] = view{}
	}
}

// succeed starts a leader that knows what a fresh read of everything gives.
func (s *state) succeed() {
	s.believed[leader], s.queues[leader] = s.template, [maxLag]event{}
	s.epoch[leader]++
	for i := range s.nodes {
		n := &s.nodes[i]
		n.views[leader] = view{up: n.up, pods: n.pods}
		for j := range n.calls {
			if n.calls[j].kind != noCall {
				n.calls[j].old = true
			}
		}
	}
}
