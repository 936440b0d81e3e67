package explain

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// checks are all tests of a node: the template's rules, the node's own state, and room and ports where no Pod of the
// daemon holds them yet.
func (b *Book) checks(s *fleet.Slot) []Check {
	out := []Check{}
	if s.Node == nil && b.notRead("nodes") {
		return out
	}
	if s.Node == nil {
		return append(out, Check{What: "node", Subject: s.NodeName, Detail: "does not exist"})
	}
	for _, c := range b.matcher.Checks(s.Node) {
		out = append(out, Check{What: whatOf(c.Kind), Pass: c.Pass, Subject: c.Subject, Detail: c.Detail})
	}
	out = append(out, b.nodeCheck(s.NodeName))
	if pod := first(s); s.Verdict.ShouldRun() && (pod == nil || !pod.Bound || pod.Terminal() || b.waitsForRoom(s)) {
		out = append(out, b.room(s.Node, pod)...)
	}
	return out
}

func (b *Book) waitsForRoom(s *fleet.Slot) bool {
	for _, w := range b.waits[s.NodeName] {
		if w.Reason.Code == fleet.NoRoom || w.Reason.Code == fleet.PortTaken {
			return true
		}
	}
	return false
}

func whatOf(k match.Kind) string {
	switch k {
	case match.NodeSelector:
		return "selector"
	case match.NodeAffinity:
		return "affinity"
	}
	return string(k)
}

// nodeCheck is about the node itself. Placement never looks at it: a daemon is put on a node that is not Ready, too.
func (b *Book) nodeCheck(name string) Check {
	n := b.world.Node(name)
	c := Check{What: "node", Pass: n.Ready == corev1.ConditionTrue, Subject: "Ready"}
	switch {
	case !c.Pass:
		c.Subject, c.Detail = "not Ready", nodeText(n, b.world.Now)
	case !n.Since.IsZero():
		c.Detail = "since " + age(b.world.Now, n.Since)
	}
	if n.Cordoned {
		c.Subject += ", cordoned"
	}
	if n.Deleted != nil {
		c.Subject += ", being deleted since " + age(b.world.Now, *n.Deleted)
	}
	return c
}
