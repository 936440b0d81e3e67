package simworld

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// template is a revision, or a template generation, of a DaemonSet.
type template struct {
	set  types.UID
	name string
}

// accepts notes that the API server took a Pod of a revision, in earnest or in a dry run.
func (s *sound) accepts(set types.UID, names ...string) {
	for _, n := range names {
		if n != "" {
			s.accepted[template{set, n}] = true
		}
	}
}

// dryRun takes the answer to one.
func (s *sound) dryRun(a act.Answer) {
	if a.Status == nil && a.Action.Kind == plan.DryRun && a.Outcome == act.Done {
		s.accepts(a.Daemon.UID, a.Hash)
	}
}

// acceptable checks that no old Pod goes in place before the API server has accepted one that could follow it (I4): else a
// template that nobody may create takes down as many nodes as the budget allows.
func (s *sound) acceptable(old *corev1.Pod, set *setTruth, by *serving) {
	call := by.call()
	inPlace := !slices.ContainsFunc(set.specsSince(by.flight.horizon), func(ds *appsv1.DaemonSet) bool { return resolve(ds, set.mostDesired(time.Time{}), true) > 0 })
	if !inPlace {
		return
	}
	generation := call.Daemon.Annotations[appsv1.DeprecatedTemplateGeneration]
	s.w.holds(Budget, s.accepted[template{call.Daemon.UID, call.Hash}] || s.accepted[template{call.Daemon.UID, generation}], func() string {
		return fmt.Sprintf("%s goes for revision %s, of which no Pod was ever accepted", old.Name, call.Hash)
	})
}

// moved checks that a surge lets a Pod go from a node that no longer qualifies only while more nodes serve than should (I5).
func (s *sound) moved(old *corev1.Pod, set *setTruth, by *serving) {
	uid, f := by.call().Daemon.UID, by.flight
	if f.late() {
		s.pods[old.UID].displaced = true
		return
	}
	serve := map[string]bool{}
	for _, t := range s.pods {
		// One that was orphaned may not be known as such yet.
		if p := t.last; t.ours(uid) && !t.displaced && (!t.readyAt.IsZero() || !t.readyTill.Before(f.horizon)) {
			serve[nodeOf(p)] = true
		}
	}
	least := s.leastDesired(set, f.horizon)
	s.w.holds(SurgeBudget, len(serve) > least, func() string {
		return fmt.Sprintf("%s goes for %s, and with it %d nodes serve of %d for %s", old.Name, fleet.CapacityMoved, len(serve), least, uid)
	})
	s.pods[old.UID].displaced = true
}

// leastDesired counts the nodes that should run it whatever states of node and spec since then a view puts together; one that has
// joined since may not be known.
func (s *sound) leastDesired(t *setTruth, then time.Time) (n int) {
	for node := range t.may {
		if known := s.nodes[node]; len(known) > 0 && known[0].since.Before(then) && !s.qualifiedSince(t, node, then, func(q qualified) bool { return !q.start }) {
			n++
		}
	}
	return n
}
