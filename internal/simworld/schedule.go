package simworld

import (
	"fmt"
	"time"

	"github.com/everynode/everynode/internal/plan"
)

// Setup is what a world is.
type Setup struct {
	Placement plan.Placement
	Nodes     int
	Daemons   int
	Replicas  int
	// Warm replicas take facts in while they stand by.
	Warm   bool
	Faults Faults
	// ReadyAfter and Grace bound how long a Pod takes to become Ready and to end.
	ReadyAfter, Grace time.Duration
	// Surge, MinReady and OnDelete are where the first DaemonSet begins.
	Surge, OnDelete bool
	MinReady        int32
}

// Step is one thing that happens to a world.
type Step struct {
	// After is the time since the step before.
	After time.Duration
	Do    StepKind
	// Dice chooses the details.
	Dice uint64
}

// Schedule is all that a run depends on.
type Schedule struct {
	Seed  uint64
	Setup Setup
	Steps []Step
	// Calls are the faults of single requests, by their number in the run, from 1.
	Calls map[int]Fault
}

// FromSeed makes a random schedule: a seed switches a random set of faults on.
func FromSeed(seed uint64) Schedule {
	d := dice(mix(seed)).of(forSetup, 0)
	s := Schedule{Seed: seed, Calls: map[int]Fault{}, Setup: Setup{
		Placement: []plan.Placement{plan.Direct, plan.Scheduler}[d.roll(1, 2)],
		Nodes:     1 + d.roll(2, 6), Daemons: 1, Replicas: 1,
		ReadyAfter: d.between(3, 100*time.Millisecond, 4*time.Second), Grace: d.between(4, 50*time.Millisecond, 4*time.Second),
		Surge: d.chance(5, 3), OnDelete: d.chance(6, 8), MinReady: int32(d.roll(7, 3) * 2),
	}}
	if d.chance(8, 5) {
		s.Setup.Daemons = 2
	}
	if d.chance(9, 4) {
		s.Setup.Replicas = 2
		s.Setup.Warm = d.chance(56, 2)
	}
	for f := range faultCount {
		if d.chance(20+uint64(f), 3) {
			s.Setup.Faults = s.Setup.Faults.With(f)
		}
	}
	s.Steps = s.steps(d)
	s.calls(d)
	return s
}

func (s *Schedule) steps(d dice) []Step {
	var may []StepKind
	for k := range stepCount {
		if needs, ok := stepNeeds[k]; !ok || s.Setup.Faults.Has(needs) {
			may = append(may, k)
		}
	}
	steps := make([]Step, 8+d.roll(100, 25))
	for i := range steps {
		one := d.of(forStep, i)
		steps[i] = Step{After: one.between(1, 0, 6*time.Second), Do: may[one.roll(2, len(may))], Dice: uint64(one)}
		if one.chance(3, 6) {
			steps[i].After = one.between(4, 0, time.Minute)
		}
		if one.chance(5, 5) {
			steps[i].After = one.between(6, 0, 50*time.Millisecond)
		}
	}
	return steps
}

// calls chooses the requests that are hit.
func (s *Schedule) calls(d dice) {
	var may []Fault
	for _, f := range onCalls {
		if s.Setup.Faults.Has(f) {
			may = append(may, f)
		}
	}
	if len(may) == 0 {
		return
	}
	rate := 4 + d.roll(101, 30)
	for n := 1; n < 400; n++ {
		if one := d.of(forRequest, n); one.chance(1, rate) {
			s.Calls[n] = may[one.roll(2, len(may))]
		}
	}
}

// callFault is what the schedule has in store for a request; nothing once the world is healed.
func (w *World) callFault(n int) (Fault, bool) {
	f, ok := w.schedule.Calls[n]
	return f, ok && w.has(f)
}

// String is the schedule in words, for a transcript.
func (s Schedule) String() string {
	out := fmt.Sprintf("seed %d: %s placement, %d nodes, %d DaemonSets, %d replicas (warm %v), surge %v, minReadySeconds %d, OnDelete %v\n",
		s.Seed, s.Setup.Placement, s.Setup.Nodes, s.Setup.Daemons, s.Setup.Replicas, s.Setup.Warm, s.Setup.Surge, s.Setup.MinReady, s.Setup.OnDelete)
	for i, step := range s.Steps {
		out += fmt.Sprintf("  step %d after %v: %s\n", i+1, step.After, step.Do)
	}
	for n := 1; n < 1000; n++ {
		if f, ok := s.Calls[n]; ok {
			out += fmt.Sprintf("  request %d: %s\n", n, f)
		}
	}
	return out
}
