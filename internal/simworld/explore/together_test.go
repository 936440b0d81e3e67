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
				c := settled(both(s, a, b))
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

// TestOpenStories tells what the remedies in settled are for, as long as it happens. It does not fail: when a story is no
// longer found, its remedy can go.
func TestOpenStories(t *testing.T) {
	for _, x := range []struct {
		name   string
		scope  Scope
		remedy func(*Scope)
	}{
		{
			"a surge that is called off lets the available Pod go for one whose create is under way",
			Scope{MaxSurge: 1, Faults: Faults{Changes: 2}},
			func(c *Scope) { c.Planner = nil },
		},
		{
			"the Pod of a vanished node that a rollout was deleting stays for ever",
			Scope{MaxUnavailable: 1, Faults: Faults{Changes: 1, Departures: 1}},
			func(c *Scope) { c.Collector = false },
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := settled(x.scope)
			c.Name, c.Nodes, c.Lag = x.name, 2, 2
			x.remedy(&c)
			if r := run(t, c); r.Broken != "" {
				t.Logf("still so: %s\n%s", r.Broken, strings.Join(r.Story, "\n"))
			} else {
				t.Log("no longer found: take its remedy out of settled")
			}
		})
	}
}
