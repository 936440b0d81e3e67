package fleet

import "time"

// ApplyNode takes a node in, or its newer version. Only what placement looks at, or a grown allocatable that a slot
// waits for, makes a DaemonSet dirty.
func (f *Fleet) ApplyNode(n *Node, now time.Time) {
	old := f.nodes[n.Name]
	if old != nil && n.Version <= old.Version {
		return
	}
	f.nodes[n.Name] = n
	if old != nil {
		n.pods, n.waiters, n.Seen = old.pods, old.waiters, old.Seen
	} else {
		n.Seen = now
		n.pods = f.homeless[n.Name]
		delete(f.homeless, n.Name)
	}
	moved := old == nil || !old.placementEqual(n)
	for _, d := range f.daemons {
		s := d.slotFor(n.Name)
		s.Node = n
		if s.trouble != nil {
			s.Note(func(t *Trouble) { t.GoneSince = time.Time{} })
		}
		if moved {
			d.mark(s) // its zone may be another
			f.rejudge(d, s)
		}
	}
	if old != nil && !old.Allocatable.Equal(n.Allocatable) {
		f.wake(n)
	}
}

// rejudge renews a slot's verdict; a slot that neither had nor wants a Pod makes nothing dirty.
func (f *Fleet) rejudge(d *Daemon, s *Slot) {
	old := s.Verdict
	s.Verdict = d.verdict(s)
	back := old.Reason.Code == NodeGone && len(s.Pods) > 0 // they are no longer left to the node's return
	if s.Verdict.Decision != old.Decision || back {
		f.Touch(d.Key)
	}
}

func (d *Daemon) verdict(s *Slot) Verdict {
	if s.Node == nil {
		return Verdict{Decision: Leave, Reason: Reason{Code: NodeGone}}
	}
	return d.judge.Verdict(s.Node)
}

// DeleteNode takes a node out. Slots with Pods stay, without a node, until the Pods are gone.
func (f *Fleet) DeleteNode(name string, version Version, now time.Time) {
	n := f.nodes[name]
	if n == nil || version < n.Version {
		return
	}
	delete(f.nodes, name)
	f.wake(n)
	if len(n.pods) > 0 {
		f.homeless[name] = n.pods
	}
	for _, d := range f.daemons {
		s := d.slots[name]
		if s == nil {
			continue
		}
		if s.Verdict.Decision == Run || len(s.Pods) > 0 {
			f.Touch(d.Key)
		}
		s.Node = nil
		s.Verdict = d.verdict(s)
		s.Note(func(t *Trouble) { t.Failures, t.Refusals, t.Refused = Backoff{}, Backoff{}, "" })
		d.mark(s)
		if len(s.Pods) == 0 {
			d.dropSlot(s)
			continue
		}
		s.Note(func(t *Trouble) { t.GoneSince = now })
	}
}

// ReplaceNodes takes in a fresh list read at version: what it lacks is gone, unless newer than the list.
func (f *Fleet) ReplaceNodes(list []*Node, version Version, now time.Time) {
	keep := make(map[string]bool, len(list))
	for _, n := range list {
		keep[n.Name] = true
		f.ApplyNode(n, now)
	}
	for name := range f.nodes {
		if !keep[name] {
			f.DeleteNode(name, version, now)
		}
	}
}
