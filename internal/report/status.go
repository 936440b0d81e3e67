package report

import (
	"iter"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/plan"
)

// Status is the status that a plan makes: its counts, and two conditions that tell about them. What others keep in the
// current one, conditions of other types and collisionCount, stays (U210–U220, U229). g is the rollout's progress as of
// this plan, waits are the plan's.
func Status(p plan.Plan, g Progress, waits iter.Seq[plan.Wait], now time.Time) appsv1.DaemonSetStatus {
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
	if p.Hash != "" { // else nothing is known of a rollout
		set(&s, available(p), now)
		set(&s, progressing(p, g, now, waits, numbersDiffer(p.Daemon.Object.Status, s)), now)
	}
	return s
}

// Merge puts the numbers and the own conditions of want into a fresher status, whose other fields stay.
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
	for _, t := range ConditionTypes {
		if c := condition(want, t); c != nil {
			set(&out, *c, c.LastTransitionTime.Time)
		}
	}
	return out
}

// Differs tells whether b is worth a write over a: for a number, a raised observed generation (U220), or what an own
// condition says and why. Its message alone is not: it goes out with the next write.
func Differs(a, b appsv1.DaemonSetStatus) bool {
	return numbersDiffer(a, b) || conditionsDiffer(a, b)
}

func numbersDiffer(a, b appsv1.DaemonSetStatus) bool {
	return a.DesiredNumberScheduled != b.DesiredNumberScheduled ||
		a.CurrentNumberScheduled != b.CurrentNumberScheduled ||
		a.NumberMisscheduled != b.NumberMisscheduled ||
		a.NumberReady != b.NumberReady ||
		a.NumberAvailable != b.NumberAvailable ||
		a.NumberUnavailable != b.NumberUnavailable ||
		a.UpdatedNumberScheduled != b.UpdatedNumberScheduled ||
		a.ObservedGeneration < b.ObservedGeneration
}
