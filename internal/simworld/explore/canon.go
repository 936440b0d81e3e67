package explore

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
)

// key stands for a state: two hashes of its canonical text, so that a collision is out of the question.
type key [2]uint64

// canon makes keys. It keeps its buffers.
type canon struct {
	seeds [2]maphash.Seed
	exact bool
	parts [maxNodes][]byte
	text  []byte
}

func newCanon(exact bool) *canon {
	return &canon{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, exact: exact}
}

// key is the same for states that differ in nothing that matters.
func (c *canon) key(s *state) key {
	for i := range s.nodes {
		c.parts[i] = s.encodeNode(c.parts[i][:0], i)
	}
	if !c.exact {
		slices.SortFunc(c.parts[:], bytes.Compare)
	}
	t := append(c.text[:0], s.template, s.believed[0], s.believed[1], bitsOf(s.zombie), s.epoch[0], s.epoch[1])
	f := s.left
	t = append(t, f.Changes, f.Crashes, f.Pauses, f.Failures, f.Flaps, f.Evictions, f.Departures, f.Losses)
	for l, q := range s.queues {
		for i, e := range q {
			if e.kind == templateChanged {
				t = append(t, byte(l), byte(i), e.template)
			}
		}
	}
	for i := range c.parts {
		t = append(t, 0xFF)
		t = append(t, c.parts[i]...)
	}
	c.text = t
	return key{maphash.Bytes(c.seeds[0], t), maphash.Bytes(c.seeds[1], t)}
}

// encodeNode writes down one node with its part of the queues, so that the order of the nodes carries nothing else.
func (s *state) encodeNode(b []byte, i int) []byte {
	n := &s.nodes[i]
	b = append(b, bitsOf(n.up), n.taken)
	b = encodePods(b, n.pods[:])
	for l := range n.views {
		v := &n.views[l]
		b = append(b, bitsOf(v.up, v.aged, v.unsure), v.unsureName[0], v.unsureName[1], v.unsureName[2])
		b = encodePods(b, v.pods[:])
	}
	for _, c := range n.calls {
		if c.kind != noCall {
			b = append(b, byte(c.kind), c.owner, byte(c.step), c.flags())
			b = encodePod(b, c.pod)
		}
	}
	b = append(b, 0xFE)
	for l := range s.queues {
		for at, e := range s.queues[l] {
			if e.kind != noEvent && e.kind != templateChanged && int(e.node) == i {
				b = append(b, byte(l), byte(at), byte(e.kind), bitsOf(e.up))
				b = encodePod(b, e.pod)
			}
		}
	}
	return b
}

func encodePods(b []byte, pods []pod) []byte {
	for _, p := range pods {
		if p.phase != 0 {
			b = encodePod(b, p)
		}
	}
	return append(b, 0xFD)
}

func encodePod(b []byte, p pod) []byte {
	return append(b, p.uid, byte(p.phase)|p.rev<<4|bitsOf(p.creating, p.deleting, p.late)<<5, p.name[0], p.name[1], p.name[2])
}

// tidy brings a state into its normal form: lists in order, UIDs numbered anew, and what was made good forgotten, as
// well as what we took of a node that the leader has seen vanish.
func (s *state) tidy() {
	for i := range s.nodes {
		n := &s.nodes[i]
		s.renumber(i)
		inOrder(n.pods[:])
		for l := range n.views {
			inOrder(n.views[l].pods[:])
		}
		inOrder(n.calls[:])
		if !n.up || !n.views[leader].up || slices.ContainsFunc(n.pods[:], func(p pod) bool { return p.phase.available() }) {
			n.taken = untouched
		}
	}
}

// renumber gives a node's UIDs their smallest numbers, in the same order.
func (s *state) renumber(i int) {
	var used uint32
	s.eachUID(i, func(u *uint8) {
		if *u < odd {
			used |= 1 << *u
		}
	})
	used &^= 1
	if used&(used+2) == 0 {
		return // they are 1..k already
	}
	rank := func(u uint8) uint8 {
		if u == 0 || u >= odd {
			return u
		}
		return uint8(bits.OnesCount32(used & (1<<(u+1) - 1)))
	}
	s.eachUID(i, func(u *uint8) { *u = rank(*u) })
}

// nextUID is free on the node.
func (s *state) nextUID(i int) uint8 {
	var highest uint8
	s.eachUID(i, func(u *uint8) {
		if *u < odd {
			highest = max(highest, *u)
		}
	})
	if highest >= 30 {
		panic("explore: too many UIDs on a node")
	}
	return highest + 1
}

// eachUID calls do for all UIDs of a node's Pods, in names too.
func (s *state) eachUID(i int, do func(*uint8)) {
	s.eachPod(i, func(p *pod) {
		do(&p.uid)
		for j := range p.name {
			do(&p.name[j])
		}
	})
	for l := range s.nodes[i].views {
		for j := range s.nodes[i].views[l].unsureName {
			do(&s.nodes[i].views[l].unsureName[j])
		}
	}
}

// eachPod calls do for all that is said of Pods on a node, anywhere.
func (s *state) eachPod(i int, do func(*pod)) {
	n := &s.nodes[i]
	for j := range n.pods {
		do(&n.pods[j])
		do(&n.views[0].pods[j])
		do(&n.views[1].pods[j])
	}
	for j := range n.calls {
		if n.calls[j].kind != noCall {
			do(&n.calls[j].pod)
		}
	}
	for l := range s.queues {
		for j := range s.queues[l] {
			if e := &s.queues[l][j]; e.kind != noEvent && e.kind != templateChanged && int(e.node) == i {
				do(&e.pod)
			}
		}
	}
}
