package oracle

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Disagreements that no number of docs/differences.md covers yet, and that are not settled. Each is a predicate as narrow as those
// of the differences; it goes away with its cause.
const (
	// endingElsewhere: upstream's budget counts nodes where the daemon should not run while their last Pod ends; ours does not.
	endingElsewhere = 101
	// percentOfNone: with a percentage as maxSurge and no node that should run, upstream does not take Pods off nodes that may
	// only keep theirs, as it does with a number; ours does with both.
	percentOfNone = 102
	// endedOnKept: on a node that may only keep its Pods, upstream deletes a Failed one with backoff; ours at once.
	endedOnKept = 103
	// pickWasted: a surge candidate on a node that an orphan holds takes one of the picks, and then gets no Pod.
	pickWasted = 104
)

var pending = []difference{
	{number: endingElsewhere, trim: (*comparison).endingElsewhere},
	{number: percentOfNone, trim: (*comparison).percentOfNone},
	{number: endedOnKept, edit: (*scene).endedOnKept},
	{number: pickWasted, trim: (*comparison).pickWasted},
}

func (c *comparison) percentOfNone() {
	if !strings.HasSuffix(c.s.surge, "%") || c.s.desired() > 0 {
		return
	}
	for action, code := range c.ours {
		if code == fleet.CapacityMoved {
			delete(c.ours, action)
		}
	}
}

// endedOnKept makes them Pods that Succeeded, which upstream deletes at once.
func (s *scene) endedOnKept() bool {
	return s.each(func(p *scenePod) bool {
		if run, stay := s.verdict(p.node); run || !stay || p.phase != corev1.PodFailed || p.terminating {
			return false
		}
		p.phase = corev1.PodSucceeded
		return true
	})
}

func (c *comparison) endingElsewhere() {
	for i := range c.s.nodes {
		n := c.s.nodes[i].name
		if run, _ := c.s.verdict(n); run || !c.s.inPlace() {
			continue
		}
		ending, staying := 0, 0
		for j := range c.s.pods {
			switch p := &c.s.pods[j]; {
			case p.node != n || !p.mine() || (p.terminating && p.ended()):
			case p.terminating || c.manage["delete "+p.name]:
				ending++
			default:
				staying++
			}
		}
		if ending > 0 && staying == 0 {
			c.more++
		}
	}
}

func (c *comparison) pickWasted() {
	for i := range c.s.pods {
		p := &c.s.pods[i]
		if !c.s.inPlace() && p.endingOrphan() && c.s.anyOn(p.node, func(q *scenePod) bool { return q.live() && !c.s.updated(q) }) {
			c.fewer = true
		}
	}
}
