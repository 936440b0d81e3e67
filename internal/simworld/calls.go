package simworld

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/plan"
)

// errand is what a call is about: who makes the same call again has the same errand.
type errand struct {
	process process
	set     types.UID
	kind    string
	node    string    // for a create or delete
	pod     types.UID // for one that exists
}

// place is a DaemonSet on a node.
type place struct {
	set  types.UID
	node string
}

// process is one life of a replica.
type process struct{ replica, life int }

func (r *Replica) process() process { return process{r.id, r.life} }

// errandOf names the errand of a call of a process.
func (r *Replica) errandOf(c act.Call) errand {
	e := errand{process: r.process(), set: c.Daemon.UID, kind: "status"}
	if c.Status != nil {
		return e
	}
	e.kind = c.Action.Kind.String()
	if c.Action.Kind == plan.Create || c.Action.Kind == plan.Delete {
		e.node = c.Action.Node
	}
	if c.Action.Pod != nil {
		e.pod = c.Action.Pod.UID
	}
	if c.Action.NodeGone {
		e.kind += " without grace"
	}
	return e
}

// together tells that two errands share a backoff: one that goes well ends the wait of the other.
func (e errand) together(o errand) bool {
	return e.process == o.process && e.set == o.set && e.node == o.node && (e.kind == "status") == (o.kind == "status")
}

// refusals are calls of one errand that were refused in a row, for one generation of the spec: another may fare better.
type refusals struct {
	generation int64
	at         []time.Time
}

const (
	// Refused calls come again after a second, two, four, and so on up to a minute: so many of one errand at most (I20).
	refusedIn10s = 5
	refusedIn60s = 7
	// sameInASecond is more of one errand than any change to the cluster takes.
	sameInASecond = 12
)

// within counts the refusals of the last while.
func (r *refusals) within(d time.Duration, now time.Time) (n int) {
	for _, t := range r.at {
		if now.Sub(t) < d {
			n++
		}
	}
	return n
}

// asked checks a call that a process begins: the same is not under way (I15), and no delete that was answered is repeated.
func (s *sound) asked(r *Replica, c act.Call) {
	e := r.errandOf(c)
	for _, f := range r.flights {
		again := !f.dead && r.errandOf(f.call) == e && f.call.Daemon.Generation == c.Daemon.Generation
		s.w.holds(OwnWrites, !again, func() string { return fmt.Sprintf("%s begins %s, and the same is under way", r.name, callName(c)) })
	}
	s.w.holds(OwnWrites, !s.ended[e], func() string { return fmt.Sprintf("%s begins %s, which was answered", r.name, callName(c)) })
	if a := c.Action; c.Status == nil && a.Kind == plan.Delete {
		s.w.holds(Bounded, a.NodeGone || !a.Pod.Terminating, func() string { return fmt.Sprintf("%s begins %s, and knows that it is ending", r.name, callName(c)) })
	}
	if second := s.w.now.Truncate(time.Second); !second.Equal(s.second) {
		s.second = second
		clear(s.inSecond)
	}
	s.inSecond[e]++
	s.w.holds(NoHotLoop, s.inSecond[e] <= sameInASecond, func() string {
		return fmt.Sprintf("%s is called for %d times within a second", callName(c), s.inSecond[e])
	})
}

// answered looks at what became of a call: refused ones may not come back at once (I20).
func (s *sound) answered(r *Replica, a act.Answer) {
	s.dryRun(a)
	e := r.errandOf(a.Call)
	news := a.Pod != nil || a.Revision != nil || a.DaemonSet != nil
	switch {
	case a.Outcome == act.Stopped, a.Outcome == act.Taken:
	case a.Outcome == act.Done, a.Outcome == act.Gone && e.pod != "", a.Outcome == act.Conflict && news:
		for other := range s.refused {
			if e.together(other) {
				delete(s.refused, other)
			}
		}
	default:
		s.refusedAgain(e, a)
	}
	if a.Outcome != act.Done || a.Status != nil {
		return
	}
	switch a.Action.Kind {
	case plan.Create:
		if a.Pod != nil {
			s.acked[e.process] = append(s.acked[e.process], a.Pod)
		}
	case plan.Delete:
		s.ended[e] = true
	}
}

func (s *sound) refusedAgain(e errand, a act.Answer) {
	b := s.refused[e]
	if b == nil || b.generation != a.Daemon.Generation {
		b = &refusals{generation: a.Daemon.Generation}
		s.refused[e] = b
	}
	b.at = append(b.at, s.w.now)
	s.slower(e, b, callName(a.Call)+" is refused: "+a.Why())
}

// slower checks that what went wrong was not tried again too soon. A node that comes under the name of another begins afresh.
func (s *sound) slower(e errand, r *refusals, what string) {
	if e.node != "" && s.absent(e.node, s.w.now.Add(-2*time.Minute)) {
		return
	}
	soon, later := r.within(10*time.Second, s.w.now), r.within(time.Minute, s.w.now)
	s.w.holds(NoHotLoop, soon <= refusedIn10s && later <= refusedIn60s, func() string {
		return fmt.Sprintf("%d times within 10 s and %d times within a minute, %s", soon, later, what)
	})
}

// succeeds checks a create: where Pods end by themselves and we remove them, one follows the other ever more slowly (I20, U097).
func (s *sound) succeeds(p *corev1.Pod, node string, by *serving) {
	set := by.call().Daemon
	if at := (place{set.UID, node}); s.failures[at] && !by.flight.late() {
		delete(s.failures, at)
		e := errand{process: by.replica.process(), set: set.UID, kind: "successor", node: node}
		r := s.successors[e]
		if r == nil || r.generation != set.Generation {
			r = &refusals{generation: set.Generation}
			s.successors[e] = r
		}
		r.at = append(r.at, s.w.now)
		s.slower(e, r, fmt.Sprintf("%s is made on %s after one that had ended", p.Name, node))
	}
}

// planOfSet is a DaemonSet of a process whose plan wants to be looked at again.
type planOfSet struct {
	process process
	set     types.UID
}

// timed checks that a process wakes no later than its plans ask for (I16).
func (s *sound) timed(r *Replica) {
	next := r.pilot.Next()
	for a, at := range s.asks {
		key := s.sets[a.set].key
		if d := r.pilot.Fleet.Daemon(key); a.process != r.process() || !at.After(s.w.now) || d == nil || d.UID != a.set {
			continue
		}
		s.w.holds(Convergence, !next.IsZero() && !next.After(at), func() string {
			return fmt.Sprintf("%s wakes at %v, and %s asks for %v", r.name, next.Sub(epoch), key.Name, at.Sub(epoch))
		})
	}
}

// crashed forgets what a process was answered, and what it planned.
func (s *sound) crashed(r *Replica) {
	delete(s.acked, r.process())
	maps.DeleteFunc(s.asks, func(a planOfSet, _ time.Time) bool { return a.process == r.process() })
}
