package simworld

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func apiEqual(a, b any) bool { return equality.Semantic.DeepEqual(a, b) }

// statusWrite checks what of a status can be judged alone (I11); at rest it has to be the truth.
func (s *sound) statusWrite(c apimodel.Change, ds *appsv1.DaemonSet, by *serving) {
	t := s.sets[ds.UID]
	st := ds.Status
	s.w.holds(StatusTruth, st.UpdatedNumberScheduled <= st.CurrentNumberScheduled && st.CurrentNumberScheduled <= st.DesiredNumberScheduled &&
		st.NumberAvailable <= st.NumberReady && st.NumberReady <= st.CurrentNumberScheduled && st.NumberUnavailable == st.DesiredNumberScheduled-st.NumberAvailable &&
		st.ObservedGeneration <= ds.Generation && st.ObservedGeneration >= t.observed, func() string {
		return fmt.Sprintf("status of %s after observedGeneration %d of %d: %+v", ds.Name, t.observed, ds.Generation, st)
	})
	t.observed = max(t.observed, st.ObservedGeneration)
	if old := c.Old.(*appsv1.DaemonSet); by.call().Status != nil {
		s.conditions(old, ds)
		s.w.holds(StatusTruth, st.ObservedGeneration <= max(by.call().Daemon.Generation, old.Status.ObservedGeneration), func() string {
			return fmt.Sprintf("%s: numbers of generation %d are written as of %d", ds.Name, by.call().Daemon.Generation, st.ObservedGeneration)
		})
	} else {
		s.collision(old, ds, by)
	}
	s.w.holds(Confinement, by.call().Daemon.UID == ds.UID && apiEqual(c.Old.(*appsv1.DaemonSet).Spec, ds.Spec), func() string { return "a status write changes the spec" })
}

// collision checks a status write for the history: it counts a collision that is one, once, and nothing else.
func (s *sound) collision(old, ds *appsv1.DaemonSet, by *serving) {
	count := func(st appsv1.DaemonSetStatus) int32 { return ptr.Deref(st.CollisionCount, 0) }
	rest := *ds.Status.DeepCopy()
	rest.CollisionCount = old.Status.CollisionCount
	s.w.holds(StatusTruth, apiEqual(old.Status, rest), func() string { return "a call for the history writes more than collisionCount" })
	name, data := "", ""
	if change := by.call().Action.Revision; change.Revision != nil {
		name, data = change.Revision.Name, string(change.Revision.Data.Raw)
	}
	held, err := s.w.API.GetRevision(ds.Namespace, name)
	another := err != nil || string(held.Data.Raw) != data || !metav1.IsControlledBy(held, ds)
	s.w.holds(History, another && count(ds.Status) == count(by.call().Daemon.Status)+1, func() string {
		return fmt.Sprintf("%s: collisionCount becomes %d after %d for %s, which another holds: %v", ds.Name, count(ds.Status), count(by.call().Daemon.Status), name, another)
	})
}

// conditions checks those of a status write: one of each own type, its time moves with its status alone and is the present
// one then, Available agrees with the numbers, and those of others stay.
func (s *sound) conditions(old, ds *appsv1.DaemonSet) {
	was, others := map[appsv1.DaemonSetConditionType]appsv1.DaemonSetCondition{}, 0
	for _, c := range old.Status.Conditions {
		was[c.Type] = c
		if !slices.Contains(report.ConditionTypes, c.Type) {
			others++
		}
	}
	own := 0
	for _, c := range ds.Status.Conditions {
		before, known := was[c.Type]
		if !slices.Contains(report.ConditionTypes, c.Type) {
			s.w.holds(StatusTruth, known && apiEqual(before, c), func() string { return fmt.Sprintf("%s: condition %s of another is written", ds.Name, c.Type) })
			others--
			continue
		}
		own++
		kept := known && before.Status == c.Status
		s.w.holds(StatusTruth, c.Reason != "" && c.Message != "" && (!kept || before.LastTransitionTime.Equal(&c.LastTransitionTime)), func() string {
			return fmt.Sprintf("%s: condition %+v after %+v", ds.Name, c, before)
		})
		nowhere := ds.Status.DesiredNumberScheduled > 0 && ds.Status.NumberAvailable == 0
		s.w.holds(StatusTruth, c.Type != report.Available || (c.Status != corev1.ConditionTrue || !nowhere) && (c.Status == corev1.ConditionTrue || ds.Status.NumberUnavailable > 0), func() string {
			return fmt.Sprintf("%s: Available is %s with %+v", ds.Name, c.Status, ds.Status)
		})
	}
	s.w.holds(StatusTruth, own == len(report.ConditionTypes) && others == 0, func() string {
		return fmt.Sprintf("%s: conditions %+v after %+v", ds.Name, ds.Status.Conditions, old.Status.Conditions)
	})
}

// revisionWrite checks that no revision in use is dropped (I10).
func (s *sound) revisionWrite(c apimodel.Change, r *appsv1.ControllerRevision, by *serving) {
	s.w.holds(Confinement, r.Namespace == by.call().Daemon.Namespace, func() string { return "a revision in " + r.Namespace })
	if c.Type != watch.Deleted {
		return
	}
	hash := r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	used := ""
	for _, p := range s.w.pods() {
		if metav1.IsControlledBy(p, by.call().Daemon) && live(p) && hashOf(p) == hash && hash != "" && p.CreationTimestamp.Time.Before(by.flight.horizon.Add(-time.Second)) && !s.pods[p.UID].disturbed {
			used = p.Name
		}
	}
	s.w.holds(History, used == "" || s.twin(r, hash), func() string { return "revision " + r.Name + " is dropped, and " + used + " belongs to it" })
}

// twin tells that another revision has the same hash, so that nothing is lost with r.
func (s *sound) twin(r *appsv1.ControllerRevision, hash string) bool {
	return slices.ContainsFunc(s.w.revisions(), func(o *appsv1.ControllerRevision) bool {
		return o.UID != r.UID && o.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] == hash
	})
}

// planned checks what a plan was made from: no own create that was answered is forgotten (I15), and the same facts give
// the same plan (I18).
func (s *sound) planned(r *Replica, p plan.Plan, b *plan.Book) {
	s.asks[planOfSet{r.process(), p.Daemon.UID}] = p.Next
	kept := s.acked[r.process()][:0]
	for _, pod := range s.acked[r.process()] {
		live, err := s.w.API.GetPod(pod.Namespace, pod.Name)
		if err != nil || live.UID != pod.UID {
			continue // gone in truth; whether the view has that yet is the watch's affair
		}
		kept = append(kept, pod)
		if metav1.GetControllerOf(live) == nil || metav1.GetControllerOf(pod).UID != p.Daemon.UID {
			continue
		}
		known := r.pilot.Fleet.Pod(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
		s.w.holds(OwnWrites, known != nil && known.UID == pod.UID, func() string {
			return fmt.Sprintf("%s was made and answered, and the plan does not know it", pod.Name)
		})
	}
	s.acked[r.process()] = kept
	if s.w.Stats.Moments%4 == 0 {
		s.audit(r, p.Daemon, b)
	}
}

// audit computes from scratch what a controller keeps by difference.
func (s *sound) audit(r *Replica, d *fleet.Daemon, b *plan.Book) {
	if s.template.of != d {
		data, err := revision.Data(&d.Object.Spec.Template)
		s.w.holds(Determinism, err == nil, func() string { return fmt.Sprintf("%s: %v", d.Key, err) })
		s.template.of, s.template.data = d, data
	}
	scratch, err := plan.Compute(plan.Input{
		Daemon: d, Revisions: r.pilot.Fleet.Revisions(d), Orphans: r.pilot.Fleet.Orphans(d), Template: s.template.data, Now: s.w.now, Placement: s.w.Setup.Placement,
	})
	kept := planText(b.Full())
	s.w.holds(Determinism, err == nil && planText(scratch) == kept, func() string {
		return fmt.Sprintf("kept by difference\n%s\nfrom scratch\n%s", kept, planText(scratch))
	})
}

func planText(p plan.Plan) string {
	out := fmt.Sprintf("%s %+v %+v %v\n", p.Hash, p.Counts, p.Budget, p.Next)
	for _, a := range p.Actions {
		out += fmt.Sprintf("%s %s %s %s %v\n", a.Kind, a.Node, a.Name, a.Reason, a.Guarded)
	}
	waits := []string{}
	for _, w := range p.Waits {
		switch w.Reason.Code {
		case fleet.NoRoom, fleet.PortTaken, fleet.BudgetUsed, fleet.DryRunFirst:
			w.Reason, w.Until = fleet.Reason{Code: "RoomOrTurn"}, time.Time{} // a Book remembers for whom there was no room when their turn came
		}
		waits = append(waits, fmt.Sprintf("wait %s %s %v\n", w.Node, w.Reason, w.Until))
	}
	slices.Sort(waits)
	return out + strings.Join(waits, "")
}
