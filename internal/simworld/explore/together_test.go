package explore

import (
	"strings"
	"testing"
)

// both lets two troubles happen in one story.
func both(s Scope, a, b trouble) Scope {
	one, other := s, s
	a.set(&one)
	b.set(&other)
	f, g := &one.Faults, other.Faults
	f.Changes, f.Crashes, f.Pauses = max(f.Changes, g.Changes), max(f.Crashes, g.Crashes), max(f.Pauses, g.Pauses)
	f.Failures, f.Flaps, f.Evictions = max(f.Failures, g.Failures), max(f.Flaps, g.Flaps), max(f.Evictions, g.Evictions)
	f.Departures, f.Losses = max(f.Departures, g.Departures), max(f.Losses, g.Losses)
	one.Empty, one.Linger, one.Partial = one.Empty || other.Empty, one.Linger || other.Linger, one.Partial || other.Partial
	one.Exact = one.Exact || other.Exact
	one.Name += ", " + a.name + ", " + b.name
	return one
}

// TestTogether explores each two troubles in one story. Without the flag the stories are cut short.
func TestTogether(t *testing.T) {
	for _, s := range strategies {
		for i, a := range troubles {
			for _, b := range troubles[:i] {
				c := both(s, a, b)
				c.Nodes, c.Lag, c.States = 2, 1, 2_000
				if *deep {
					c.Lag, c.States = 2, 500_000
				}
				r := run(t, c)
				if r.Broken != "" {
					t.Errorf("%s: %s\n%s", c.Name, r.Broken, strings.Join(r.Story, "\n"))
				}
			}
		}
	}
}

// TestOldStories explores what once went wrong here.
func TestOldStories(t *testing.T) {
	for _, c := range []Scope{
		{Name: "a surge that is called off let the available Pod go for one whose create was under way", MaxSurge: 1, Faults: Faults{Changes: 2}},
		{Name: "the Pod of a vanished node that a rollout was deleting stayed for ever", MaxUnavailable: 1, Faults: Faults{Changes: 1, Departures: 1}},
	} {
		c.Nodes, c.Lag = 2, 2
		t.Run(c.Name, func(t *testing.T) { keeps(t, c) })
	}
}
