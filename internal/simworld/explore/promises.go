package explore

import (
	"fmt"
	"slices"

	"github.com/everynode/everynode/internal/fleet"
)

// Worst is the most that was met in any state.
type Worst struct {
	// Live and Running are Pods on one node: neither ended nor being deleted, and those whose containers may run.
	Live, Running int
	// Late ones of the running on one node were made by a call that its leader had given up, or that outlived it, where a name
	// is salted.
	Late int
	// Taken nodes lack an available Pod because of us; of these, TakenLate by a call that landed after its leader was
	// succeeded.
	Taken, TakenLate int
	// Overlaps are nodes with a live Pod of an old revision, available, and a live one of the current that is not.
	Overlaps int
	// Calls in flight at once.
	Calls int
}

func (w *Worst) add(o Worst) {
	w.Live, w.Running, w.Late = max(w.Live, o.Live), max(w.Running, o.Running), max(w.Late, o.Late)
	w.Taken, w.TakenLate = max(w.Taken, o.Taken), max(w.TakenLate, o.TakenLate)
	w.Overlaps, w.Calls = max(w.Overlaps, o.Overlaps), max(w.Calls, o.Calls)
}

// Promises are what is checked in every state, in words.
var Promises = []string{
	"a node has at most one live Pod, with surge two of different revisions; where one of them has a salted name, what a late" +
		" call makes may come on top",
	"without surge no Pod starts before the containers of the one before have ended, but for one that a late call makes",
	"nodes that lack an available Pod because of the leader in office: at most maxUnavailable, with surge or OnDelete none",
	"those and what leaders sent that have been succeeded since: at most that for each leader; but with surge, after a template" +
		" has been changed back, both Pods of a node may go",
	"with surge no available Pod is told to go unless, for all that the leader knows, another is available on its node",
	"no surge is started beyond maxSurge, for all that the leader knows",
	"nodes with an available old Pod and a new one that is not available: at most maxSurge, and as much for each cause of late calls; where\n" +
		"Pods fail or become available late, an old one that was replaced for not being available comes on top",
	"when a leader has been told all and awaits no answer, it knows what there is",
	"a plan is the same from facts in the opposite order",
	"with OnDelete no available Pod is deleted",
	"a call deletes the very Pod that it was meant for, unchanged if guarded",
	"from every state a path without further faults leads to rest: one ready Pod of the current revision on each node",
	"at rest the plan is empty",
}

// check gives the worst of one state, and the promise that it breaks, if any.
func (c *Scope) check(s *state) (Worst, string) {
	var w Worst
	broken := ""
	for i := range c.Nodes {
		n := &s.nodes[i]
		one, why := c.checkNode(s, i)
		if why != "" && broken == "" {
			broken = nodeName(i) + ": " + why
		}
		w.Live, w.Running, w.Late = max(w.Live, one.Live), max(w.Running, one.Running), max(w.Late, one.Late)
		w.Overlaps += one.Overlaps
		for _, call := range n.calls {
			w.Calls += int(bitsOf(call.kind != noCall))
		}
		w.Taken += int(bitsOf(n.taken != untouched))
		w.TakenLate += int(bitsOf(n.taken == takenLate))
	}
	if broken == "" {
		broken = c.checkBudgets(s, w)
	}
	return w, broken
}

func (c *Scope) checkNode(s *state, i int) (w Worst, broken string) {
	n := &s.nodes[i]
	salted := slices.ContainsFunc(n.pods[:], func(p pod) bool { return p.name.salted() })
	prompt := [2]int{} // live Pods by revision, but for those that a late call may add
	for _, p := range n.pods {
		extra := salted && p.late
		if p.phase.live() {
			w.Live++
			prompt[p.rev] += int(bitsOf(!extra))
		}
		if p.phase.live() || p.phase == ending {
			w.Running++
			w.Late += int(bitsOf(extra))
		}
	}
	w.Overlaps = int(bitsOf(n.up && n.views[leader].up && overlap(n.pods[:], revOf(s.template))))
	switch {
	case c.MaxSurge == 0 && prompt[0]+prompt[1] > 1:
		return w, fmt.Sprintf("%d live Pods", w.Live)
	case c.MaxSurge == 0 && w.Running-w.Late > 1:
		return w, fmt.Sprintf("%d Pods run", w.Running)
	case c.MaxSurge > 0 && max(prompt[0], prompt[1]) > 1 && c.Faults.Departures == 0:
		return w, fmt.Sprintf("%d live Pods, two of one revision", w.Live)
	case s.told(i) && n.views[leader].truth() != n.truth():
		return w, "the leader has been told all and believes otherwise"
	}
	return w, ""
}

// overlap tells whether an available old Pod waits for one that is not available yet. What is to be deleted waits no more.
func overlap(pods []pod, rev uint8) bool {
	old, fresh := false, false
	for _, p := range pods {
		if p.phase.live() && !p.deleting {
			old = old || p.rev != rev && p.phase.available()
			fresh = fresh || p.creating || p.rev == rev && !p.phase.available()
		}
	}
	return old && fresh
}

func (c *Scope) checkBudgets(s *state, w Worst) string {
	leaders := 1 + int(c.Faults.Crashes-s.left.Crashes) + int(c.Faults.Pauses-s.left.Pauses)
	late := leaders > 1 || s.left.Losses < c.Faults.Losses
	budget, surge := c.budget(), c.MaxSurge
	if c.MaxSurge > 0 && c.Faults.worsening() {
		return "" // a Pod that is no longer available may have been so for all that the leader knows
	}
	if c.MaxSurge > 0 && late && c.Faults.Changes > 1 {
		return "" // who came before held the other Pod for the old one
	}
	if w.Taken-w.TakenLate > budget {
		return fmt.Sprintf("%d nodes lack an available Pod because of the leader; %d may", w.Taken-w.TakenLate, budget)
	}
	if late {
		surge *= leaders + 1
	}
	switch {
	case w.Taken > budget*leaders:
		return fmt.Sprintf("%d nodes lack an available Pod because of us; %d may", w.Taken, budget*leaders)
	case c.MaxSurge > 0 && !c.Empty && w.Overlaps > surge:
		return fmt.Sprintf("%d nodes surge; %d may", w.Overlaps, surge)
	default:
		return ""
	}
}

// told tells whether the leader's watches have told all about a node, and all its answers are in.
func (s *state) told(i int) bool {
	for _, e := range s.queues[leader] {
		if e.kind != noEvent {
			return false
		}
	}
	for _, c := range s.nodes[i].calls {
		if c.kind != noCall && c.owner == leader {
			return false
		}
	}
	return true
}

// truth is a view without the leader's marks.
func (v *view) truth() view {
	out := view{up: v.up, pods: v.pods}
	for i := range out.pods {
		out.pods[i].deleting = false // a mark on a Pod that is there still; one of a create would differ
	}
	inOrder(out.pods[:])
	return out
}

func (n *node) truth() view { return view{up: n.up, pods: n.pods} }

// rest tells whether all is as the DaemonSet wants it, and nobody has anything left to hear or to do.
func (c *Scope) rest(s *state) bool {
	if s.zombie || s.believed[leader] != s.template {
		return false
	}
	for i := range c.Nodes {
		n := &s.nodes[i]
		if !s.told(i) || n.calls != ([maxCalls]call{}) {
			return false
		}
		p := n.pods[0]
		switch {
		case !n.up:
			if p.phase != 0 {
				return false
			}
		case !p.phase.available(), n.pods[1].phase != 0, !c.OnDelete && p.rev != revOf(s.template):
			return false
		}
	}
	return true
}

// mayOrder checks a plan against what the leader knows. Of a node that has been away it may know two Pods, and then the
// older one stays, whichever serves.
func (c *Scope) mayOrder(s *state, l int, orders []order) (broken string) {
	if c.MaxSurge == 0 || c.Faults.Departures > 0 {
		return ""
	}
	overlaps, started := 0, 0
	for i := range c.Nodes {
		overlaps += int(bitsOf(s.nodes[i].views[l].up && overlap(s.nodes[i].views[l].pods[:], revOf(s.believed[l]))))
	}
	for _, o := range orders {
		v := &s.nodes[o.node].views[l]
		switch {
		case o.kind == create:
			started += int(bitsOf(o.reason == fleet.SurgeStarted))
		case o.reason == fleet.PodSurplus && c.Faults.late(): // the older of two stays, whichever serves
		case o.pod.phase.available() && !v.serves(o.pod.uid):
			return nodeName(o.node) + ": the leader lets an available Pod go, and knows no other that is"
		}
	}
	if started > 0 && overlaps+started > c.MaxSurge {
		return fmt.Sprintf("the leader starts %d surges where it knows %d; %d may be", started, overlaps, c.MaxSurge)
	}
	return ""
}

// serves tells whether there is another available Pod than this.
func (v *view) serves(uid uint8) bool {
	return slices.ContainsFunc(v.pods[:], func(p pod) bool { return p.phase.available() && !p.deleting && p.uid != uid })
}
