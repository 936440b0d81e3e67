package simworld

import (
	"fmt"
	"slices"
	"strings"

	"github.com/everynode/everynode/internal/act"
)

// Stats count what happened in one run, or in many.
type Stats struct {
	Runs, Moments, Commits, Writes, Requests int
	// Faults are the injected ones by kind, Checks the invariants that were checked.
	Faults [faultCount]int
	Checks map[Invariant]int
	// Met counts which decision met which fault: a call that was hit by it, or that was decided while it was at work.
	Met map[string]*[faultCount]int
}

// Add adds another run's counts.
func (s *Stats) Add(o Stats) {
	s.Runs += o.Runs
	s.Moments += o.Moments
	s.Commits += o.Commits
	s.Writes += o.Writes
	s.Requests += o.Requests
	for f, n := range o.Faults {
		s.Faults[f] += n
	}
	if s.Checks == nil {
		s.Checks, s.Met = map[Invariant]int{}, map[string]*[faultCount]int{}
	}
	for i, n := range o.Checks {
		s.Checks[i] += n
	}
	for decision, met := range o.Met {
		all := s.Met[decision]
		if all == nil {
			all = &[faultCount]int{}
			s.Met[decision] = all
		}
		for f, n := range met {
			all[f] += n
		}
	}
}

// hit counts a fault that was injected.
func (w *World) hit(f Fault) {
	w.Stats.Faults[f]++
	w.recent |= 1 << f
}

// hitOn counts a fault that hit a call.
func (w *World) hitOn(f Fault, c act.Call) {
	w.hit(f)
	w.met(decisionOf(c))[f]++
	w.trace("fault", f.String(), callName(c), "", 0)
}

func (w *World) met(decision string) *[faultCount]int {
	m := w.Stats.Met[decision]
	if m == nil {
		m = &[faultCount]int{}
		w.Stats.Met[decision] = m
	}
	return m
}

// decisionOf names a call with its reason.
func decisionOf(c act.Call) string {
	if c.Status != nil {
		return "status"
	}
	name := c.Action.Kind.String() + " " + string(c.Action.Reason.Code)
	if c.Action.Revision.Revision != nil {
		name += " " + string(c.Action.Revision.Kind)
	}
	return name
}

// String is the summary for people.
func (s Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d schedules, %d moments, %d commits, %d requests, %d writes by everynode\n", s.Runs, s.Moments, s.Commits, s.Requests, s.Writes)
	b.WriteString("faults injected:\n")
	for f, n := range s.Faults {
		fmt.Fprintf(&b, "  %-22s %d\n", Fault(f), n)
	}
	b.WriteString("invariants checked:\n")
	for _, i := range invariants {
		fmt.Fprintf(&b, "  %-4s %-58s %d\n", i, i.Promise(), s.Checks[i])
	}
	decisions := make([]string, 0, len(s.Met))
	for d := range s.Met {
		decisions = append(decisions, d)
	}
	slices.Sort(decisions)
	fmt.Fprintf(&b, "decisions made: %d kinds\n", len(decisions))
	var never []string
	for _, d := range decisions {
		for f, n := range s.Met[d] {
			if n == 0 {
				never = append(never, fmt.Sprintf("%s × %s", Fault(f), d))
			}
		}
	}
	fmt.Fprintf(&b, "fault × decision pairs never met: %d\n", len(never))
	for _, n := range never {
		b.WriteString("  " + n + "\n")
	}
	return b.String()
}
