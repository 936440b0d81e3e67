package explore

import (
	"fmt"
	"slices"
	"strings"
)

// story tells the way to state n in numbered sentences. The states between are made anew, so that nodes and Pods keep
// their names through the whole story.
func (x *search) story(n uint32, last *move) []string {
	var way []uint32
	for i := n; i != unknown; i = x.parent[i] {
		way = append(way, i)
	}
	slices.Reverse(way)
	s := x.scope.first()
	s.tidy()
	var out []string
	say := func(m move) { out = append(out, fmt.Sprintf("%d. %s", len(out)+1, m.tell())) }
	for _, goal := range way[1:] {
		found := false
		at := s
		x.moves(&at, func(t state, m move) {
			if found {
				return
			}
			t.tidy()
			if i, ok := x.index[x.canon.key(&t)]; ok && i == goal {
				found, s = true, t
				say(m)
			}
		})
		if !found {
			return append(out, "(the story cannot be told further)")
		}
	}
	if last != nil {
		at := s
		x.moves(&at, func(_ state, m move) {
			if m.broken == last.broken && len(out) == len(way)-1 {
				say(m)
			}
		})
	}
	return append(out, x.scope.describe(&s))
}

// ofPod are the sentences about a Pod that no leader had a hand in.
var ofPod = map[act]string{
	podReady:     "the kubelet makes Pod %s ready",
	podUnready:   "Pod %s is no longer ready",
	podFails:     "Pod %s fails",
	podEvicted:   "somebody deletes Pod %s",
	podEnds:      "the containers of Pod %s end",
	podVanishes:  "Pod %s is gone",
	podCollected: "Pod %s of the vanished node is collected",
}

// tell says in a sentence what happened.
func (m move) tell() string {
	on := nodeName(m.node)
	who := [...]string{"the leader", "the paused leader"}[m.leader]
	if sentence, ok := ofPod[m.act]; ok {
		return on + ": " + fmt.Sprintf(sentence, m.pod)
	}
	switch m.act {
	case nodeLeaves:
		return on + ": the node is deleted"
	case nodeReturns:
		return on + ": the node is back"
	case templateChanges:
		return "a user changes the template"
	case viewAdvances:
		return fmt.Sprintf("%s sees %s", who, m.event)
	case quarantineEnds:
		return on + ": the quarantine of the vanished node ends"
	case doubtEnds:
		return on + ": the leader need no longer reckon with the create that was not answered"
	case leaderPlans:
		return who + " plans: " + m.told()
	case leaderCrashes:
		return "the leader dies; another begins from a fresh read"
	case leaderPaused:
		return "the leader is paused and loses the lease; another begins from a fresh read"
	case pausedEnds:
		return "the paused leader notices and ends"
	default:
		return on + ": " + m.tellCall(who)
	}
}

func (m move) tellCall(who string) string {
	switch m.act {
	case callLands:
		return m.call.String() + " arrives at the API server"
	case callHangs:
		return m.call.String() + " gets no answer and is still under way; the leader finds out what there is"
	case callRefused:
		return m.call.String() + " is refused"
	case answerLost:
		return fmt.Sprintf("the answer is lost; the leader reads %s", m.call.pod)
	default:
		return fmt.Sprintf("%s hears that %s was %s", who, m.call, [...]string{"sent", "done", "in conflict", "too late"}[m.call.step])
	}
}

// told lists a plan's orders.
func (m move) told() string {
	var out []string
	for _, o := range m.orders {
		out = append(out, fmt.Sprintf("%s %s (%s)", nodeName(o.node), call{kind: o.kind, pod: o.pod, guarded: o.guarded}, o.reason))
	}
	if !slices.IsSorted(m.seats) {
		out = append(out, fmt.Sprintf("taking the nodes in the order %v", m.seats))
	}
	return strings.Join(out, "; ")
}

// String gives "create root/b" or "delete 1(a,ready)".
func (c call) String() string {
	from := ""
	if c.old {
		from = " of the former leader"
	}
	switch {
	case c.kind == create:
		return fmt.Sprintf("create %s of revision %c%s", c.pod.name, 'a'+c.pod.rev, from)
	case c.guarded:
		return fmt.Sprintf("guarded delete of %s%s", c.pod, from)
	default:
		return fmt.Sprintf("delete of %s%s", c.pod, from)
	}
}

// String gives the UID, name, revision and phase.
func (p pod) String() string {
	marks := ""
	if p.creating {
		marks += ",creating"
	}
	if p.deleting {
		marks += ",deleting"
	}
	return fmt.Sprintf("%d[%s,%c,%s%s]", p.uid, p.name, 'a'+p.rev, p.phase, marks)
}

func (p phase) String() string {
	return [...]string{"none", "pending", "ready", "unready", "ready again", "failed", "terminating", "terminating and ended"}[p]
}

// String gives the salt: which Pods held the names before it.
func (n name) String() string {
	switch {
	case n[0] >= odd:
		return fmt.Sprintf("odd name %d", n[0]-odd)
	case n[0] == 0:
		return "base name"
	}
	out := "name after"
	for _, u := range n {
		if u != 0 {
			out += fmt.Sprintf(" %d", u)
		}
	}
	return out
}

func (e event) String() string {
	switch e.kind {
	case podChanged:
		return fmt.Sprintf("%s: Pod %s", nodeName(int(e.node)), e.pod)
	case podGone:
		return fmt.Sprintf("%s: the end of Pod %s", nodeName(int(e.node)), e.pod)
	case nodeChanged:
		return fmt.Sprintf("the node %s, there: %v", nodeName(int(e.node)), e.up)
	default:
		return "the new template"
	}
}

// describe shows the state that a story ends in.
func (c *Scope) describe(s *state) string {
	out := fmt.Sprintf("=> template %c", 'a'+revOf(s.template))
	for i := range c.Nodes {
		n := &s.nodes[i]
		out += fmt.Sprintf("; %s (there: %v, taken: %v) has%s, the leader knows%s", nodeName(i), n.up, n.taken != untouched, list(n.pods[:]), list(n.views[leader].pods[:]))
		for _, call := range n.calls {
			if call.kind != noCall {
				out += ", in flight: " + call.String()
			}
		}
	}
	return out
}

func list(pods []pod) string {
	out := ""
	for _, p := range pods {
		if p.phase != 0 {
			out += " " + p.String()
		}
	}
	if out == "" {
		return " nothing"
	}
	return out
}
