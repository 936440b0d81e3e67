package report

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/plan"
)

// ProgressDeadline is how long a rollout may bring no node forward before it counts as stalled; minReadySeconds come on
// top. It is the default of a Deployment's progressDeadlineSeconds.
const ProgressDeadline = 10 * time.Minute

// Progress is what has to be remembered of a rollout between plans to tell one that moves from one that stands still. The
// zero value knows nothing yet.
type Progress struct {
	generation int64
	hash       string
	desired    int32
	// outdated and unavailable are the fewest nodes so far that had not the current revision, and no available Pod.
	outdated, unavailable int32
	// since is the last time that one of them fell, that the DaemonSet was changed, or that it was complete.
	since time.Time
	// done tells that the rollout was complete.
	done bool
	// moved tells that something moved after a standstill was told.
	moved bool
}

// After is the progress once a plan is known. As for a Deployment a node that is updated, or available, is progress. A change
// in the number of nodes is none: it only sets what later counts are compared with.
func (g Progress) After(p plan.Plan, now time.Time) Progress {
	c, told := p.Counts, condition(p.Daemon.Object.Status, Progressing)
	next := Progress{
		generation: p.Daemon.Object.Generation, hash: p.Hash,
		desired: c.Desired, outdated: c.Desired - c.Updated, unavailable: c.Desired - c.Available,
		since: g.since, done: complete(p), moved: g.moved && told != nil && told.Status == corev1.ConditionFalse,
	}
	fresh := g.since.IsZero()
	switch s := p.Daemon.Object.Status; {
	case fresh: // what moved while nobody looked, the status tells
		next.moved = c.Updated > s.UpdatedNumberScheduled || c.Available > s.NumberAvailable
	case g.generation != next.generation, g.hash != next.hash, g.done != next.done:
		next.since, next.moved = now, true
	case g.desired != c.Desired:
	case next.outdated < g.outdated || next.unavailable < g.unavailable:
		next.outdated, next.unavailable = min(next.outdated, g.outdated), min(next.unavailable, g.unavailable)
		next.since, next.moved = now, true
	default:
		next.outdated, next.unavailable = g.outdated, g.unavailable
	}
	if fresh || now.Before(next.since) { // or the clock was set back
		next.since = now
	}
	return next
}

// Due is when a rollout that does not move until then is stalled; zero if there is nothing to wait for.
func (g Progress) Due(p plan.Plan, now time.Time) time.Time {
	at := g.deadline(p)
	if p.Hash == "" || complete(p) || !now.Before(at) {
		return time.Time{}
	}
	return at
}

func (g Progress) deadline(p plan.Plan) time.Time {
	return g.since.Add(ProgressDeadline + time.Duration(p.Daemon.Object.Spec.MinReadySeconds)*time.Second)
}
