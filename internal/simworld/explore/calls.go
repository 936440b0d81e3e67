package explore

import "slices"

// calls lets calls arrive at the API server, and answers at their leader.
func (w *world) calls(s *state, next yield) {
	for i := range w.scope.Nodes {
		for j, c := range s.nodes[i].calls {
			switch {
			case c.kind == noCall:
			case c.step == sent:
				if w.room(s) {
					w.land(s, i, j, next)
				}
				if c.owner == leader {
					w.lose(s, i, j, next)
				}
			default:
				w.answer(s, i, j, next)
			}
		}
	}
}

// land carries a call out, with the preconditions and conflicts that the API server knows.
func (w *world) land(s *state, node, j int, next yield) {
	t := *s
	n := &t.nodes[node]
	c := &n.calls[j]
	m := move{act: callLands, node: node, call: *c}
	if c.kind == create {
		w.landCreate(&t, node, c)
	} else {
		m.broken = w.landDelete(&t, node, c)
	}
	c.late = c.owner == paused
	// An answer that a delete was done, or came too late, teaches nothing: the mark on the Pod stays until the watch tells.
	if c.owner == nobody || c.kind == remove && c.step != conflict {
		n.calls[j] = call{}
	}
	next(t, m)
}

func (w *world) landCreate(s *state, node int, c *call) {
	n := &s.nodes[node]
	if h := holder(n.pods[:], c.pod.name); h >= 0 {
		c.step, c.pod = done, n.pods[h] // AlreadyExists, and a read finds that it is ours
		return
	}
	p := pod{uid: s.nextUID(node), rev: c.pod.rev, phase: pending, name: c.pod.name, late: c.old || c.owner == nobody}
	put(n.pods[:], p)
	w.tell(s, event{kind: podChanged, node: uint8(node), pod: p})
	c.step, c.pod = done, p
}

func (w *world) landDelete(s *state, node int, c *call) (broken string) {
	n := &s.nodes[node]
	h := find(n.pods[:], c.pod.uid)
	switch {
	case c.nodeGone && n.up:
		c.step = conflict // nothing is read: the Pod is as it was known
		return ""
	case h < 0:
		c.step = gone
		return ""
	case c.guarded && n.pods[h].phase != c.pod.phase:
		c.step, c.pod = conflict, n.pods[h]
		return ""
	}
	p := n.pods[h]
	c.step = done
	if p.phase.available() && w.scope.OnDelete && n.up && !c.excused {
		broken = "OnDelete, but an available Pod was deleted"
	}
	switch {
	case c.nodeGone || p.phase == failed:
		w.change(s, node, p.uid, 0)
	case p.phase.live():
		w.change(s, node, p.uid, ending)
	}
	if p.phase.available() && n.up && !c.excused {
		n.taken = taken // tidy forgets it where another is available
		if c.old {
			n.taken = takenLate
		}
	}
	return broken
}

// lose lets a call of the leader fail, or hang.
func (w *world) lose(s *state, node, j int, next yield) {
	t := *s
	if !spend(&t.left.Losses) {
		return
	}
	n := &t.nodes[node]
	c := n.calls[j]
	hung := c
	hung.owner = nobody
	if c.kind == remove {
		put(n.calls[:], hung) // sent again until it is answered
		next(t, move{act: callHangs, node: node, call: c})
		t = *s
		spend(&t.left.Losses)
		n = &t.nodes[node]
		n.calls[j] = call{}
		n.views[leader] = w.learner.take(n.views[leader], lesson{kind: notDeleted, pod: c.pod})
		next(t, move{act: callRefused, node: node, call: c})
		return
	}
	if h := holder(n.pods[:], c.pod.name); h >= 0 {
		n.calls[j].step, n.calls[j].pod = done, n.pods[h]
	} else {
		n.calls[j] = call{}
		w.doubt(&n.views[leader], c)
	}
	put(n.calls[:], hung)
	next(t, move{act: callHangs, node: node, call: c})
}

// answer lets the answer to a call arrive. That to a create may get lost: then the Pod of that name is read.
func (w *world) answer(s *state, node, j int, next yield) {
	c := s.nodes[node].calls[j]
	t := *s
	w.takeIn(&t, node, j, c)
	next(t, move{act: answerArrives, node: node, leader: int(c.owner), call: c})
	if t = *s; c.kind != create || c.owner != leader || !spend(&t.left.Losses) {
		return
	}
	read := c
	if h := holder(t.nodes[node].pods[:], c.pod.name); h >= 0 {
		read.pod = t.nodes[node].pods[h]
	} else {
		read.step = gone
	}
	w.takeIn(&t, node, j, read)
	next(t, move{act: answerLost, node: node, leader: int(c.owner), call: read})
}

// takeIn is what engine does with an answer.
func (w *world) takeIn(s *state, node, j int, c call) {
	n := &s.nodes[node]
	n.calls[j] = call{}
	v := &n.views[c.owner]
	told := !c.late && !s.untold(node, c)
	teach := func(kind lessonKind) { *v = w.learner.take(*v, lesson{kind: kind, pod: c.pod, told: told}) }
	switch {
	case c.kind == create && c.step == done:
		teach(seeAnswer)
	case c.kind == create:
		w.doubt(v, c)
	case c.step == conflict && c.nodeGone:
		teach(notDeleted)
	case c.step == conflict:
		teach(notDeleted)
		teach(seeAnswer)
	}
}

// doubt is what a leader learns when no Pod is there under the name of a create that was not answered.
func (w *world) doubt(v *view, c call) {
	*v = w.learner.take(*v, lesson{kind: notCreated, pod: c.pod})
	v.unsure, v.unsureName = true, c.pod.name
}

// untold tells whether the owner's watch has yet to tell of the Pod as it is in the answer.
func (s *state) untold(node int, c call) bool {
	for _, e := range s.queues[c.owner] {
		if e.kind == podChanged && int(e.node) == node && e.pod == c.pod {
			return true
		}
	}
	return false
}

// late tells whether a create of that name, which the leader has given up, may still be carried out.
func (n *node) late(of name) bool {
	return slices.ContainsFunc(n.calls[:], func(c call) bool { return c.kind == create && c.owner == nobody && !c.old && c.pod.name == of })
}
