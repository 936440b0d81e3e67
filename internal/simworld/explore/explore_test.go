package explore

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var deep = flag.Bool("deep", false, "explore with more that goes wrong at once; takes many minutes and some GB")

// strategies are what a DaemonSet can ask for.
var strategies = []Scope{
	{Name: "maxUnavailable 1", MaxUnavailable: 1},
	{Name: "maxUnavailable 2", MaxUnavailable: 2},
	{Name: "maxSurge 1", MaxSurge: 1},
	{Name: "OnDelete", OnDelete: true},
}

// trouble is a variant of the world.
type trouble struct {
	name string
	set  func(*Scope)
}

// troubles are explored one by one, with three nodes.
var troubles = []trouble{
	{"one change", func(c *Scope) { c.Faults = Faults{Changes: 1} }},
	{"one change, names kept", func(c *Scope) { c.Faults, c.Exact = Faults{Changes: 1}, true }},
	{"from nothing", func(c *Scope) { c.Faults, c.Empty = Faults{Changes: 1}, true }},
	{"creates held back", func(c *Scope) { c.Faults, c.Empty, c.Partial = Faults{Changes: 1}, true, true }},
	{"there and back", func(c *Scope) { c.Faults = Faults{Changes: 2} }},
	{"crash", func(c *Scope) { c.Faults = Faults{Changes: 1, Crashes: 1} }},
	{"two leaders", func(c *Scope) { c.Faults = Faults{Changes: 1, Pauses: 1} }},
	{"a Pod fails", func(c *Scope) { c.Faults = Faults{Changes: 1, Failures: 1} }},
	{"a Pod is unready for a while", func(c *Scope) { c.Faults = Faults{Changes: 1, Flaps: 1} }},
	{"a Pod is evicted", func(c *Scope) { c.Faults = Faults{Changes: 1, Evictions: 1} }},
	{"ended Pods linger", func(c *Scope) { c.Faults, c.Linger = Faults{Changes: 1, Evictions: 1}, true }},
	{"a node leaves", func(c *Scope) { c.Faults = Faults{Changes: 1, Departures: 1} }},
	{"a call is lost", func(c *Scope) { c.Faults = Faults{Changes: 1, Losses: 1} }},
}

// heavy ones have half a million states and more with three nodes, so they get two unless the flag is set.
var heavy = map[string]bool{
	"maxUnavailable 2, two leaders":       true,
	"maxUnavailable 2, ended Pods linger": true,
	"maxUnavailable 2, a node leaves":     true,
	"maxSurge 1, from nothing":            true,
	"maxSurge 1, creates held back":       true,
	"maxSurge 1, there and back":          true,
	"maxSurge 1, two leaders":             true,
	"maxSurge 1, a Pod fails":             true,
	"maxSurge 1, a Pod is evicted":        true,
	"maxSurge 1, ended Pods linger":       true,
	"maxSurge 1, a node leaves":           true,
}

// run explores a scope and tells what came out.
func run(t *testing.T, c Scope) Result {
	t.Helper()
	start := time.Now()
	r, err := Run(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d nodes, lag %d: %d states, %d steps, depth %d, whole %v, %d at rest, %d plans, worst %+v, in %s", c.Name, c.Nodes, c.Lag,
		r.States, r.Steps, r.Depth, r.Whole, r.Rests, r.Plans, r.Worst, time.Since(start).Round(time.Millisecond))
	return r
}

// keeps wants every promise to hold in the whole scope.
func keeps(t *testing.T, c Scope) {
	t.Helper()
	r := run(t, c)
	if r.Broken != "" {
		t.Errorf("%s: %s\n%s", c.Name, r.Broken, strings.Join(r.Story, "\n"))
	} else if c.States == 0 && (!r.Whole || r.Rests == 0) {
		t.Errorf("%s: the exploration was cut short: whole %v, %d states of rest", c.Name, r.Whole, r.Rests)
	}
}

// TestPromises explores each trouble with each strategy.
func TestPromises(t *testing.T) {
	for _, s := range strategies {
		for _, x := range troubles {
			c := s
			c.Nodes, c.Lag = 3, 2
			x.set(&c)
			c.Name += ", " + x.name
			switch {
			case heavy[c.Name] && *deep:
				c.States = 3_000_000 // some 6 GB
			case heavy[c.Name] && c.Faults.Departures > 0:
				c.Nodes, c.Lag = 2, 1
			case heavy[c.Name]:
				c.Nodes = 2
			}
			t.Run(c.Name, func(t *testing.T) { keeps(t, c) })
		}
	}
}
