package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// Node is all about one node. A node that nobody knows gives the answer that no node of that name exists.
func (b *Book) Node(name string) Node {
	s := b.daemon.Slot(name)
	if s == nil {
		s = &fleet.Slot{NodeName: name, Verdict: fleet.Verdict{Decision: fleet.Leave, Reason: fleet.Reason{Code: fleet.NodeGone}}}
	}
	f := b.find(s)
	out := Node{
		Version: Version, Namespace: b.daemon.Key.Namespace, DaemonSet: b.daemon.Key.Name, Node: name,
		Answer: f.answer, Reason: Reason(f.reason), Checks: b.checks(s), Until: until(f.until),
		Runner: b.runner, Live: b.world.Live(b.daemon.Key) != nil, Taken: b.world.Now,
	}
	pods := slices.Clone(s.Pods)
	if f.pod != nil && !slices.Contains(pods, f.pod) {
		pods = append(pods, f.pod)
	}
	for _, pod := range pods {
		out.Pods = append(out.Pods, b.podOf(pod))
	}
	out.Blocked = b.blocked(s, f)
	out.Next = b.next(s, f)
	out.Changes = b.changes(s, f)
	for _, l := range b.all() {
		if l.Node != name && l.Reason.Code == f.reason.Code {
			out.Same++
		}
	}
	return out
}

// blocked lists what stands in the way, the node's other waits and the strangers that look like this daemon's Pods.
func (b *Book) blocked(s *fleet.Slot, f finding) []string {
	var out []string
	for _, w := range b.waits[s.NodeName] {
		if w.Reason.Code == f.reason.Code || w.Reason.Code == fleet.PodNotReady {
			continue
		}
		text := Phrase(w.Reason.Code)
		if w.Reason.Detail != "" {
			text += ": " + w.Reason.Detail
		}
		if w.Reason.Code == fleet.BudgetUsed {
			text += ": " + b.budgetText()
		}
		out = append(out, text)
	}
	if s.Node == nil {
		return out
	}
	for pod := range s.Node.EachPod {
		if pod.Namespace == b.daemon.Key.Namespace && pod.Owner != "" && pod.Owner != b.daemon.UID && b.daemon.Matches(pod.Labels) {
			out = append(out, fmt.Sprintf("Pod %s has matching labels, but %s %s owns it; it does not count", pod.Name, pod.OwnerKind, pod.OwnerName))
		}
	}
	if pod := b.strange[s.NodeName]; pod != nil && pod != f.pod {
		out = append(out, fmt.Sprintf("Pod %s is owned, but its labels no longer match the selector; it is released", pod.Name))
	}
	slices.Sort(out)
	return out
}

func until(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// line is a node in short.
func (b *Book) line(s *fleet.Slot) Line {
	f := b.find(s)
	l := Line{Node: s.NodeName, Answer: f.answer, Reason: Reason(f.reason), Until: until(f.until)}
	if f.pod != nil {
		l.Pod = f.pod.Name
	}
	return l
}

// all are all nodes in short, by name.
func (b *Book) all() []Line {
	if b.lines == nil {
		b.lines = make([]Line, 0, len(b.daemon.Slots()))
		for _, s := range b.daemon.Slots() {
			b.lines = append(b.lines, b.line(s))
		}
	}
	return b.lines
}
