package explore

import "slices"

// act is what happens between one state and the next.
type act uint8

const (
	podReady act = iota
	podUnready
	podFails
	podEvicted
	podEnds
	podVanishes
	podCollected
	nodeLeaves
	nodeReturns
	templateChanges
	viewAdvances
	quarantineEnds
	callLands
	callHangs
	callRefused
	answerArrives
	answerLost
	leaderPlans
	leaderCrashes
	leaderPaused
	pausedEnds
)

// move tells what happened, for the reader and for the graph.
type move struct {
	act    act
	node   int
	leader int
	pod    pod
	call   call
	event  event
	orders []order
	seats  []int
	// broken is a promise that this very move breaks.
	broken string
}

// fair moves happen sooner or later of themselves.
func (m move) fair() bool {
	switch m.act {
	case podReady, podEnds, podVanishes, podCollected, viewAdvances, quarantineEnds, callLands, answerArrives, leaderPlans, pausedEnds:
		return true
	default:
		return false
	}
}

// world makes the moves.
type world struct {
	scope    *Scope
	learner  *learner
	decider  *decider
	seatings [][]int
	// failure stops the exploration: the planner did what the model has no words for.
	failure error
}

type yield func(s state, m move)

// moves gives every state that can come next.
func (w *world) moves(s *state, next yield) {
	if w.room(s) {
		w.kubelets(s, next)
		w.users(s, next)
	}
	w.calls(s, next)
	w.leaders(s, next)
}

// room tells whether the leader's view may fall back by one more event.
func (w *world) room(s *state) bool {
	return w.scope.Lag == 0 || s.queues[leader][w.scope.Lag-1].kind == noEvent
}

// tell lets the leader's watches know of something, now or later. A paused leader's watches are silent.
func (w *world) tell(s *state, e event) {
	if w.scope.Lag == 0 {
		w.see(s, leader, e)
		return
	}
	put(s.queues[leader][:], e)
}

// see lets a leader take in what its watch tells.
func (w *world) see(s *state, l int, e event) {
	v := &s.nodes[e.node].views[l]
	switch e.kind {
	case podChanged:
		*v = w.learner.take(*v, lesson{kind: seeChanged, pod: e.pod})
	case podGone:
		*v = w.learner.take(*v, lesson{kind: seeGone, pod: e.pod})
	case nodeChanged:
		v.up, v.aged = e.up, false
		if l == leader && !e.up {
			s.nodes[e.node].excuse()
		}
	case templateChanged:
		s.believed[l] = e.template
	}
}

// excuse forgives deletes that are under way on a node that the leader has seen vanish: it has written off what is there.
func (n *node) excuse() {
	for j := range n.calls {
		if c := &n.calls[j]; c.kind == remove && c.owner == leader {
			c.excused = true
		}
	}
}

// change gives a Pod another phase; none means that it is gone.
func (w *world) change(s *state, node int, uid uint8, to phase) {
	n := &s.nodes[node]
	i := find(n.pods[:], uid)
	if to == 0 {
		w.tell(s, event{kind: podGone, node: uint8(node), pod: n.pods[i]})
		n.pods[i] = pod{}
		return
	}
	n.pods[i].phase = to
	w.tell(s, event{kind: podChanged, node: uint8(node), pod: n.pods[i]})
}

// kubelets make Pods ready, or fail, and end deleted ones, where their node exists; elsewhere a collector takes them.
func (w *world) kubelets(s *state, next yield) {
	for i := range w.scope.Nodes {
		for _, p := range s.nodes[i].pods {
			if s.nodes[i].up {
				w.kubelet(s, i, p, next)
			} else if w.scope.Collector && p.uid != 0 {
				t := *s
				w.change(&t, i, p.uid, 0)
				next(t, move{act: podCollected, node: i, pod: p})
			}
		}
	}
}

func (w *world) kubelet(s *state, node int, p pod, next yield) {
	become := func(a act, to phase, budget func(*Faults) *uint8) {
		t := *s
		if budget != nil && !spend(budget(&t.left)) {
			return
		}
		w.change(&t, node, p.uid, to)
		next(t, move{act: a, node: node, pod: p})
	}
	switch p.phase {
	case pending:
		become(podReady, ready, nil)
	case unready:
		become(podReady, again, nil)
	case ready:
		become(podUnready, unready, func(f *Faults) *uint8 { return &f.Flaps })
	case ending:
		become(podVanishes, 0, nil)
		if w.scope.Linger {
			become(podEnds, ended, nil)
		}
	case ended:
		become(podVanishes, 0, nil)
	}
	if p.phase.live() {
		become(podFails, failed, func(f *Faults) *uint8 { return &f.Failures })
	}
}

func spend(left *uint8) bool {
	if *left == 0 {
		return false
	}
	*left--
	return true
}

// users change the template, delete Pods, and take nodes away and bring them back.
func (w *world) users(s *state, next yield) {
	if t := *s; spend(&t.left.Changes) {
		t.template++
		w.tell(&t, event{kind: templateChanged, template: t.template})
		next(t, move{act: templateChanges})
	}
	for i := range w.scope.Nodes {
		n := &s.nodes[i]
		for _, p := range n.pods {
			if t := *s; p.phase.live() && spend(&t.left.Evictions) {
				w.change(&t, i, p.uid, ending)
				next(t, move{act: podEvicted, node: i, pod: p})
			}
		}
		t := *s
		switch {
		case !n.up:
			t.nodes[i].up = true
			w.tell(&t, event{kind: nodeChanged, node: uint8(i), up: true})
			next(t, move{act: nodeReturns, node: i})
		case spend(&t.left.Departures):
			t.nodes[i].up = false
			w.tell(&t, event{kind: nodeChanged, node: uint8(i)})
			next(t, move{act: nodeLeaves, node: i})
		}
	}
}

// leaders see events, make plans, and fall.
func (w *world) leaders(s *state, next yield) {
	for l := range s.queues {
		w.advance(s, l, next)
	}
	for i := range w.scope.Nodes {
		if v := &s.nodes[i].views[leader]; !v.up && !v.aged && v.pods != ([maxPods]pod{}) {
			t := *s
			t.nodes[i].views[leader].aged = true
			next(t, move{act: quarantineEnds, node: i})
		}
	}
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
		put(n.calls[:], call{kind: o.kind, owner: uint8(l), pod: o.pod, guarded: o.guarded, nodeGone: o.nodeGone, old: l == paused})
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
	}
}
