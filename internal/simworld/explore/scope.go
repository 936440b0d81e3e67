package explore

import (
	"github.com/everynode/everynode/internal/plan"
)

// Faults say how often something may happen that no leader asked for.
type Faults struct {
	// Changes of the template: the first to another revision, the second back again.
	Changes uint8
	// Crashes: the leader ends, and another begins from a fresh read. What the first had sent may still arrive.
	Crashes uint8
	// Pauses: the leader stands still, with its view, and another begins. The first may still take in answers and events
	// that were on their way, and make one more plan of what it knows.
	Pauses uint8
	// Failures: a Pod ends as Failed. Flaps: a ready Pod is unready and may be ready again. Evictions: somebody deletes a Pod.
	Failures, Flaps, Evictions uint8
	// Departures: a node object is deleted. It may come back.
	Departures uint8
	// Losses: a create times out and may still arrive; a delete hangs, is sent again and arrives twice; a delete is refused;
	// the answer to a create is lost, and what holds the name is read.
	Losses uint8
}

// worsening tells whether an available Pod may cease to be so with no leader's help.
func (f *Faults) worsening() bool { return f.Failures+f.Flaps+f.Evictions+f.Departures > 0 }

// late tells whether calls may arrive that nobody waits for.
func (f *Faults) late() bool { return f.Crashes+f.Pauses+f.Losses > 0 }

// Planner makes a plan. leader counts the leaders that there have been, for planners with something random in them.
type Planner func(in plan.Input, leader uint8) (plan.Plan, error)

// Scope says how small the world is.
type Scope struct {
	Name  string
	Nodes int
	// OnDelete, or else a rolling update with these.
	OnDelete                 bool
	MaxUnavailable, MaxSurge int
	// Lag is how many events a leader's view may lack, up to 2.
	Lag int
	// Empty: the story begins before the first Pod is made, else when all nodes run the first revision.
	Empty bool
	// Linger: containers of a deleted Pod may be seen to have ended before the Pod is gone.
	Linger bool
	// Partial: a plan may be carried out without its creates, or with the first of them only, as when pace holds them back.
	Partial bool
	// Collector: somebody else removes the Pods of a vanished node, as the Pod garbage collector of the controller manager does.
	Collector bool
	// Exact: nodes keep their names and so their places in the planner's order.
	Exact  bool
	Faults Faults
	// Depth bounds the length of a story; 0 does not.
	Depth int
	// States bounds the exploration; 0 does not.
	States int
	// Planner is plan.Compute if nil.
	Planner Planner
}

// budget is how many nodes may lack an available Pod because of us.
func (c *Scope) budget() int {
	switch {
	case c.OnDelete, c.MaxSurge > 0:
		return 0
	default:
		return c.MaxUnavailable
	}
}

// first is the state in which every story begins.
func (c *Scope) first() state {
	s := state{left: c.Faults}
	for i := range c.Nodes {
		n := &s.nodes[i]
		n.up, n.views[0].up = true, true
		if !c.Empty {
			n.pods[0] = pod{uid: 1, phase: ready}
			n.views[0].pods = n.pods
		}
	}
	return s
}
