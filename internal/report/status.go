package report

import (
	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/plan"
)

// Status is the status that the plan's counts make, on top of what others keep in the current one: conditions and
// collisionCount stay (U210–U220, U229).
func Status(p plan.Plan) appsv1.DaemonSetStatus {
	s := *p.Daemon.Object.Status.DeepCopy()
	c := p.Counts
	s.DesiredNumberScheduled = c.Desired
	s.CurrentNumberScheduled = c.Current
	s.NumberMisscheduled = c.Misscheduled
	s.NumberReady = c.Ready
	s.NumberAvailable = c.Available
	s.NumberUnavailable = c.Desired - c.Available
	s.UpdatedNumberScheduled = c.Updated
	s.ObservedGeneration = max(s.ObservedGeneration, p.Daemon.Object.Generation)
	return s
}

// Merge puts the numbers of want into a fresher status, whose other fields stay.
func Merge(fresh, want appsv1.DaemonSetStatus) appsv1.DaemonSetStatus {
	out := *fresh.DeepCopy()
	out.DesiredNumberScheduled = want.DesiredNumberScheduled
	out.CurrentNumberScheduled = want.CurrentNumberScheduled
	out.NumberMisscheduled = want.NumberMisscheduled
	out.NumberReady = want.NumberReady
	out.NumberAvailable = want.NumberAvailable
	out.NumberUnavailable = want.NumberUnavailable
	out.UpdatedNumberScheduled = want.UpdatedNumberScheduled
	out.ObservedGeneration = max(out.ObservedGeneration, want.ObservedGeneration)
	return out
}

// Differs tells whether a write of b over a would change a number or the observed generation (U220).
func Differs(a, b appsv1.DaemonSetStatus) bool {
	return a.DesiredNumberScheduled != b.DesiredNumberScheduled ||
		a.CurrentNumberScheduled != b.CurrentNumberScheduled ||
		a.NumberMisscheduled != b.NumberMisscheduled ||
		a.NumberReady != b.NumberReady ||
		a.NumberAvailable != b.NumberAvailable ||
		a.NumberUnavailable != b.NumberUnavailable ||
		a.UpdatedNumberScheduled != b.UpdatedNumberScheduled ||
		a.ObservedGeneration < b.ObservedGeneration
}
