package explore

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
	doubtEnds
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
	case podReady, podEnds, podVanishes, podCollected, viewAdvances, quarantineEnds, doubtEnds, callLands, answerArrives, leaderPlans, pausedEnds:
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
		if c := &n.calls[j]; c.kind == remove && !c.old {
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
