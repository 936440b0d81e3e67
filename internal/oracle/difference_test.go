package oracle

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
	"k8s.io/kubernetes/pkg/controller/daemon"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// permit is a set of numbers of docs/differences.md.
type permit map[int]bool

// difference is one number of docs/differences.md, told as what would have to be otherwise for upstream to agree.
type difference struct {
	number int
	// edit changes the scene that upstream is asked about; it tells whether it had to.
	edit func(*scene) bool
	// trim takes out of the answers what the difference is about, and nothing else.
	trim func(*comparison)
}

// differences in the order in which they are applied. 10 (order) and 11 (side by side) are the comparison's own.
var differences = []difference{
	{number: 5, edit: (*scene).endedHaveBackoff, trim: (*comparison).heldAreKept},
	{number: 6, edit: (*scene).noSurgeWithHostPort},
	{number: 8, edit: (*scene).withoutVanished, trim: (*comparison).reclaimed},
	{number: 10},
	{number: 11, trim: (*comparison).surplusFirst},
	{number: 12, edit: (*scene).stampsNoLaterThanSight, trim: (*comparison).unclearStay},
	{number: 13, trim: (*comparison).orphansEndFirst},
	{number: 15, edit: (*scene).noForeignGenerations},
	{number: 19, trim: (*comparison).leftNodesHoldNobody},
}

// endedHaveBackoff: a Pod that Succeeded is replaced with the same backoff as one that Failed; and while
// one is kept for its backoff, its node gets no other Pod, with surge neither. To upstream such a Pod is shown as running.
func (s *scene) endedHaveBackoff() bool {
	changed := s.each(func(p *scenePod) bool {
		if _, stay := s.verdict(p.node); !stay || p.phase != corev1.PodSucceeded || p.terminating {
			return false
		}
		p.phase = corev1.PodFailed
		return true
	})
	for i := range s.nodes {
		n := s.nodes[i].name
		if run, _ := s.verdict(n); !run || !s.surging() || s.anyOn(n, (*scenePod).live) {
			continue
		}
		if held := s.heldOn(n); len(held) > 0 {
			held[0].phase, changed = corev1.PodRunning, true
		}
	}
	return changed
}

// heldOn are the ended Pods of a node that have to wait: all within the backoff, else all but the first in order.
func (s *scene) heldOn(node string) []*scenePod {
	var ended []*scenePod
	for i := range s.pods {
		if p := &s.pods[i]; p.node == node && p.mine() && p.ended() && !p.terminating {
			ended = append(ended, p)
		}
	}
	slices.SortFunc(ended, func(a, b *scenePod) int {
		return cmp.Or(cmp.Compare(b2i(a.place != "bound"), b2i(b.place != "bound")), cmp.Compare(b.age, a.age), cmp.Compare(a.name, b.name))
	})
	if len(ended) > 0 && !slices.Contains(s.backoff, node) {
		ended = ended[1:]
	}
	return ended
}

func (s *scene) anyOn(node string, is func(*scenePod) bool) bool {
	for i := range s.pods {
		if p := &s.pods[i]; p.node == node && is(p) {
			return true
		}
	}
	return false
}

// heldAreKept: no rollout takes such a Pod, nor puts another beside it.
func (c *comparison) heldAreKept() {
	for i := range c.s.nodes {
		n := c.s.nodes[i].name
		_, stay := c.s.verdict(n)
		for _, p := range c.s.heldOn(n) {
			if !stay || c.ours["delete "+p.name] != "" {
				continue // unless a new Pod serves beside it
			}
			delete(c.rollout, "delete "+p.name)
			if !c.s.anyOn(n, (*scenePod).live) {
				delete(c.rollout, "create "+n)
			}
		}
	}
}

// noSurgeWithHostPort: two Pods cannot hold one host port.
func (s *scene) noSurgeWithHostPort() bool {
	if !s.hostPort || s.surge == "0" {
		return false
	}
	s.surge = "0"
	return true
}

// withoutVanished: Pods bound to a vanished node are no part of a rollout, and are not asked to go a second time.
func (s *scene) withoutVanished() bool {
	n := len(s.pods)
	s.pods = slices.DeleteFunc(s.pods, func(p scenePod) bool {
		return p.mine() && !s.has(p.node) && (p.place == "bound" || p.terminating)
	})
	return len(s.pods) < n
}

// reclaimed: they are deleted once the node has been missing for long enough.
func (c *comparison) reclaimed() {
	for i := range c.s.pods {
		p := &c.s.pods[i]
		if p.mine() && p.place == "bound" && !c.s.has(p.node) && c.s.gone[p.node] >= plan.Quarantine && c.ours["delete "+p.name] == fleet.NodeVanished {
			delete(c.ours, "delete "+p.name)
		}
	}
}

// surplusFirst: where one of several live Pods is to go, a rollout leaves the node alone until it has.
func (c *comparison) surplusFirst() {
	for i := range c.s.pods {
		p := &c.s.pods[i]
		if !p.live() || !c.s.has(p.node) || !c.manage["delete "+p.name] || c.ours["delete "+p.name] != fleet.PodSurplus {
			continue
		}
		c.fewer = true
		delete(c.rollout, "create "+p.node)
		for j := range c.s.pods {
			if q := &c.s.pods[j]; q.node == p.node {
				delete(c.rollout, "delete "+q.name)
			}
		}
	}
}

// leftNodesHoldNobody: a node that should not run the daemon is no part of the budget once its last Pod ends; and with no node that
// should, surge takes available Pods off nodes that may only keep theirs, whether maxSurge is a number or a percentage.
func (c *comparison) leftNodesHoldNobody() {
	if strings.HasSuffix(c.s.surge, "%") && c.s.desired() == 0 {
		maps.DeleteFunc(c.ours, func(action string, code fleet.Code) bool {
			return code == fleet.CapacityMoved || (code == fleet.SurgeFinished && !c.manage[action])
		})
	}
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

// stampsNoLaterThanSight: a stamp that is in the future at first sight counts as that sight.
func (s *scene) stampsNoLaterThanSight() bool {
	return s.each(func(p *scenePod) bool {
		if !p.ready || (!p.stampless && p.readyFor >= p.seen) {
			return false
		}
		p.readyFor, p.stampless = p.seen, false
		return true
	})
}

// unclearStay: an old Pod that is Ready is not taken outside the budget where only a stamp says that it has not been for long.
func (c *comparison) unclearStay() {
	for i := range c.s.pods {
		p := &c.s.pods[i]
		if !p.live() || !p.ready || p.stampless || max(p.readyFor, p.seen) >= c.s.minReady {
			continue
		}
		for _, action := range []string{"delete " + p.name, "create " + p.node} {
			if c.ours[action] == "" {
				delete(c.rollout, action)
			}
		}
	}
}

// orphansEndFirst: a node with a matching orphan that still ends gets no Pod beside it, and surge takes none off it.
func (c *comparison) orphansEndFirst() {
	for i := range c.s.pods {
		p := &c.s.pods[i]
		if !p.endingOrphan() {
			continue
		}
		delete(c.manage, "create "+p.node)
		c.spare("create "+p.node, c.s.anyOn(p.node, func(q *scenePod) bool { return q.live() && c.s.available(q) }))
		for j := range c.s.pods {
			if q := &c.s.pods[j]; q.node == p.node && !c.s.inPlace() && c.ours["delete "+q.name] == "" {
				c.spare("delete "+q.name, c.s.available(q))
			}
		}
	}
}

// spare takes an action out of upstream's rollout. What it took of a budget is free for another node.
func (c *comparison) spare(action string, budgeted bool) {
	if c.rollout[action] && budgeted {
		c.more++
	}
	delete(c.rollout, action)
}

func (p *scenePod) endingOrphan() bool {
	return p.owner == "orphan" && !p.stray && p.place != "astray" && p.terminating && !p.ended()
}

// noForeignGenerations: the template generation on a Pod that is older than the DaemonSet says nothing.
func (s *scene) noForeignGenerations() bool {
	return s.each(func(p *scenePod) bool {
		if p.generation == "" || p.age <= s.age {
			return false
		}
		p.generation = ""
		return true
	})
}

func (s *scene) each(edit func(*scenePod) bool) bool {
	changed := false
	for i := range s.pods {
		changed = edit(&s.pods[i]) || changed
	}
	return changed
}

// updated and available are upstream's own words, on a scene to which differences 12 and 15 have been applied.
func (s *scene) updated(p *scenePod) bool {
	hash := "new"
	if strings.EqualFold(p.hash, hash) {
		return true
	}
	ds := s.daemonSet()
	generation, err := daemonutil.GetTemplateGeneration(ds)
	if err != nil {
		generation = nil
	}
	q := *p
	if q.age > s.age {
		q.generation = ""
	}
	return daemonutil.IsPodUpdated(q.object(ds, hash), hash, generation)
}

func (s *scene) available(p *scenePod) bool {
	c := &scene{pods: []scenePod{*p}}
	c.stampsNoLaterThanSight()
	return podutil.IsPodAvailable(c.pods[0].object(s.daemonSet(), "new"), int32(s.minReady.Seconds()), metav1.NewTime(epoch))
}

// verdict is upstream's, about a node that exists. No edit changes it.
func (s *scene) verdict(node string) (run, stay bool) {
	if s.verdicts == nil {
		s.verdicts = map[string][2]bool{}
		ds := s.daemonSet()
		for i := range s.nodes {
			run, stay := daemon.NodeShouldRunDaemonPod(logr.Discard(), s.nodes[i].object(), ds)
			s.verdicts[s.nodes[i].name] = [2]bool{run, stay}
		}
	}
	v := s.verdicts[node]
	return v[0], v[1]
}

// desired is the number of nodes that should run the daemon.
func (s *scene) desired() int {
	n := 0
	for i := range s.nodes {
		if run, _ := s.verdict(s.nodes[i].name); run {
			n++
		}
	}
	return n
}
