package simworld

import (
	"fmt"
	"math"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// forUpdate are the reasons that an update alone gives.
var forUpdate = map[fleet.Code]bool{fleet.TemplateOutdated: true, fleet.OldPodUnavailable: true, fleet.SurgeFinished: true, fleet.SurgeStarted: true}

// podWrite checks a write of ours to a Pod.
func (s *sound) podWrite(c apimodel.Change, p *corev1.Pod, t *podTruth, by *serving) {
	call, f := by.call(), by.flight
	w := s.w
	set := s.sets[call.Daemon.UID]
	if f.late() {
		s.late++
	}
	w.holds(Confinement, p.Namespace == call.Daemon.Namespace, func() string { return "a write to " + p.Namespace + "/" + p.Name })
	w.holds(NoRevival, set != nil && set.alive(f.horizon), func() string {
		return fmt.Sprintf("%s %s for DaemonSet %s, which has been gone since before the decision", call.Action.Kind, p.Name, call.Daemon.UID)
	})
	if set == nil {
		return
	}
	node := call.Action.Node
	switch call.Action.Kind {
	case plan.DryRun:
		w.holds(ExactTarget, false, func() string { return "a dry run makes " + p.Name })
	case plan.Create:
		s.created(p, set, node, by)
	case plan.Delete:
		old, _ := c.Old.(*corev1.Pod)
		s.deleted(old, t, set, node, by)
		w.holds(ExactTarget, !by.request.forces || s.absent(node, f.started), func() string {
			return fmt.Sprintf("ends %s without grace, and node %s is there", old.Name, node)
		})
	case plan.Adopt:
		old, _ := c.Old.(*corev1.Pod)
		w.holds(Ownership, metav1.GetControllerOf(old) == nil && metav1.IsControlledBy(p, call.Daemon), func() string {
			return "adopts " + p.Name + ", which has another owner"
		})
		w.holds(Ownership, old.DeletionTimestamp == nil && matches(call.Daemon, old), func() string {
			return "adopts " + p.Name + ", which is on its way out, or is not meant"
		})
		w.holds(OrphanAdopt, set.alive(f.started), func() string { return "adopts " + p.Name + " for a DaemonSet that has gone" })
		t.disturbed, t.adopted, t.adopter = true, f.started, call.Daemon.UID
	case plan.Release:
		w.holds(Ownership, !metav1.IsControlledBy(p, call.Daemon), func() string { return p.Name + " is not released" })
	case plan.Relabel:
		w.holds(Ownership, metav1.IsControlledBy(p, call.Daemon), func() string { return "relabels " + p.Name + " of another" })
	}
}

func (s *sound) created(p *corev1.Pod, set *setTruth, node string, by *serving) {
	w, f := s.w, by.flight
	w.holds(Eligibility, s.couldStart(set, node, f.horizon), func() string {
		return fmt.Sprintf("%s is made on %s, where none may start", p.Name, node)
	})
	limit := 1
	for _, ds := range set.specsSince(f.horizon) {
		if r := ds.Spec.UpdateStrategy.RollingUpdate; r != nil && r.MaxSurge != nil && r.MaxSurge.String() != "0" {
			limit = 2
		}
	}
	n, same := 0, 0
	for _, q := range w.pods() {
		t := s.pods[q.UID]
		if t == nil || t.set != by.call().Daemon.UID || t.disturbed || t.late || nodeOf(q) != node || !live(q) {
			continue
		}
		n++
		if hashOf(q) == hashOf(p) {
			same++
		}
	}
	w.holds(AtMostOne, f.late() || (n <= limit && same <= 1), func() string {
		return fmt.Sprintf("%s is the live Pod number %d on %s, and number %d of its revision", p.Name, n, node, same)
	})
	if by.call().Action.Reason.Code == fleet.SurgeStarted && !f.late() {
		s.surging(p, set, node, by)
	}
	s.faithful(p, set, node, by)
	s.succeeds(p, node, by)
}

// surging notes that a surge began on a node, and checks how many are under way (I5). One is over when the new Pod serves:
// that the old one may go then is decided together with the next surge (U176).
func (s *sound) surging(p *corev1.Pod, set *setTruth, node string, by *serving) {
	uid, horizon := by.call().Daemon.UID, by.flight.horizon
	set.surged[node] = p.UID
	n, allowed := 0, 0
	for other, young := range set.surged {
		here, lives := s.pairOn(uid, other, young, hashOf(p))
		t := s.pods[young]
		served := t != nil && (!t.readyAt.IsZero() || !t.wasReady.IsZero())
		if here < 2 || !lives || served || s.mustLeave(set, other, horizon) {
			delete(set.surged, other)
			continue
		}
		n++
	}
	for _, ds := range set.specsSince(horizon) {
		allowed = max(allowed, resolve(ds, set.mostDesired(horizon), true))
	}
	s.w.holds(SurgeBudget, n <= allowed, func() string { return fmt.Sprintf("%d nodes hold a pair, allowed are %d", n, allowed) })
}

// pairOn counts the live Pods on a node, but for old ones that serve nothing, which may go at any time (U173); lives tells
// whether the new one is among them and still of the current revision.
func (s *sound) pairOn(set types.UID, node string, young types.UID, hash string) (here int, lives bool) {
	for _, q := range s.w.pods() {
		ref := metav1.GetControllerOf(q)
		if ref == nil || ref.UID != set || nodeOf(q) != node || !live(q) || s.pods[q.UID].disturbed {
			continue
		}
		lives = lives || (q.UID == young && hashOf(q) == hash)
		if q.UID == young || isReady(q) {
			here++
		}
	}
	return here, lives
}

func hashOf(p *corev1.Pod) string { return p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] }

// faithful compares a Pod with the spec that its template generation names (I9).
func (s *sound) faithful(p *corev1.Pod, set *setTruth, node string, by *serving) {
	if s.w.admission.mutates {
		return
	}
	generation := p.Labels[fleet.TemplateGenerationLabel]
	i := slices.IndexFunc(set.specs, func(t specTruth) bool { return t.ds.Annotations[appsv1.DeprecatedTemplateGeneration] == generation })
	s.w.holds(Fidelity, i >= 0, func() string { return p.Name + " has the template generation " + generation + ", which never was" })
	if i < 0 {
		return
	}
	want := set.specs[i].ds
	ref := metav1.GetControllerOf(p)
	same := apiEqual(p.Spec.Containers, want.Spec.Template.Spec.Containers) && apiEqual(p.Spec.NodeSelector, want.Spec.Template.Spec.NodeSelector) &&
		nodeOf(p) == node && ref != nil && ref.UID == want.UID && ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion &&
		labels.SelectorFromSet(want.Spec.Template.Labels).Matches(labels.Set(p.Labels)) && hashOf(p) == by.call().Hash && p.GenerateName == want.Name+"-"
	for _, t := range slices.Concat(want.Spec.Template.Spec.Tolerations, everyDaemonTolerates) {
		same = same && slices.ContainsFunc(p.Spec.Tolerations, func(o corev1.Toleration) bool { return o.MatchToleration(&t) })
	}
	s.w.holds(Fidelity, same, func() string { return fmt.Sprintf("%s is not what the template says: %+v", p.Name, p.Spec) })
}

// deleted checks a delete that was committed on a Pod that was not ending yet.
func (s *sound) deleted(old *corev1.Pod, t *podTruth, set *setTruth, node string, by *serving) {
	w, f, call := s.w, by.flight, by.call()
	why := call.Action.Reason.Code
	w.holds(Ownership, metav1.IsControlledBy(old, call.Daemon), func() string {
		return fmt.Sprintf("deletes %s, which belongs to %v", old.Name, metav1.GetControllerOf(old))
	})
	w.holds(OrphanAdopt, t.adopted.IsZero() || f.started.After(t.adopted), func() string { return old.Name + " is adopted and deleted in one breath" })
	if forUpdate[why] {
		rolls := slices.ContainsFunc(set.specsSince(f.horizon), func(ds *appsv1.DaemonSet) bool {
			return ds.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType
		})
		w.holds(OnDelete, rolls, func() string { return fmt.Sprintf("deletes %s for %s under OnDelete", old.Name, why) })
	}
	switch why {
	case fleet.TaintNoExecute, fleet.NodeSelectorMismatch, fleet.NodeAffinityMismatch, fleet.NodeNameMismatch:
		w.holds(Eligibility, s.mustLeave(set, node, f.horizon), func() string { return fmt.Sprintf("deletes %s for %s where it may stay", old.Name, why) })
	case fleet.PodFailed, fleet.PodSucceeded:
		w.holds(Eligibility, old.Status.Phase == corev1.PodFailed || old.Status.Phase == corev1.PodSucceeded, func() string {
			return fmt.Sprintf("deletes %s for %s, but it runs", old.Name, why)
		})
		s.failures[place{call.Daemon.UID, node}] = true
	case fleet.SurgeFinished:
		s.surgeFinished(old, set, node, by)
	case fleet.CapacityMoved:
		s.moved(old, set, by)
	case fleet.OldPodUnavailable:
		s.acceptable(old, set, by)
		serves := s.serves(t, set, f.started, f.horizon, f.slack) && old.DeletionTimestamp == nil
		if w.Setup.Faults.Has(ClockJump) {
			w.holds(Clocks, !serves, func() string { return old.Name + " is available and taken for one that is not" })
		}
		if serves {
			s.take(set, node, by, old)
		}
	case fleet.TemplateOutdated:
		s.acceptable(old, set, by)
		if old.DeletionTimestamp == nil && !t.readyAt.IsZero() {
			s.take(set, node, by, old)
		}
	case fleet.PodSurplus, fleet.NodeVanished:
	default:
		w.holds(Eligibility, false, func() string { return fmt.Sprintf("deletes %s for %s, which is no reason to", old.Name, why) })
	}
}

// serves tells whether the process had to know that a Pod was available when it decided.
func (s *sound) serves(t *podTruth, set *setTruth, decided, horizon time.Time, slack time.Duration) bool {
	if t.readyAt.IsZero() || !t.readyAt.Before(horizon) {
		return false
	}
	longest := int32(0)
	for _, ds := range set.specsSince(horizon) {
		longest = max(longest, ds.Spec.MinReadySeconds)
	}
	return decided.Sub(t.readyAt) > time.Duration(longest)*time.Second+slack+time.Second
}

// take notes that a rollout took a Pod that served, and checks the budget (I4).
func (s *sound) take(set *setTruth, node string, by *serving, old *corev1.Pod) {
	if len(set.removed) == 0 {
		set.removedSince = by.flight.horizon
	}
	late := by.flight.late()
	set.removed[node] = late
	if late {
		return
	}
	since := by.flight.horizon
	if set.removedSince.Before(since) {
		since = set.removedSince
	}
	allowed := 0
	for _, ds := range set.specsSince(since) {
		allowed = max(allowed, resolve(ds, set.mostDesired(since), false))
	}
	n := 0
	for _, late := range set.removed {
		if !late {
			n++
		}
	}
	s.w.holds(Budget, n <= allowed, func() string {
		return fmt.Sprintf("%s is available and taken (%s); with it %d nodes are without, allowed are %d: %v", old.Name, by.call().Action.Reason, n, allowed, sortedKeys(set.removed))
	})
}

// resolve gives maxUnavailable or maxSurge in numbers.
func resolve(ds *appsv1.DaemonSet, desired int, surge bool) int {
	r := ds.Spec.UpdateStrategy.RollingUpdate
	if r == nil {
		return 0
	}
	scale := func(v *intstr.IntOrString) int {
		if v == nil {
			return 0
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(v, desired, true)
		if err != nil {
			panic(err)
		}
		return n
	}
	up, down := scale(r.MaxSurge), scale(r.MaxUnavailable)
	if surge {
		return up
	}
	if up == 0 && down == 0 {
		return 1
	}
	return down
}

// settleRemoved lets nodes go that have an available Pod again, or should have none.
func (s *sound) settleRemoved() {
	for _, uid := range sortedKeys(s.sets) {
		set := s.sets[uid]
		if len(set.removed) == 0 {
			continue
		}
		for node := range set.removed {
			if !set.may[node].start || !set.gone.IsZero() || s.available(uid, set, node) {
				delete(set.removed, node)
			}
		}
	}
}

// available tells whether a DaemonSet has an available Pod on a node. A controller that was restarted knows a Pod's time
// only by the kubelet's stamp, which is cut to the second and as wrong as the kubelet's clock.
func (s *sound) available(set types.UID, t *setTruth, node string) bool {
	need := time.Duration(t.spec().Spec.MinReadySeconds)*time.Second - time.Second
	if s.w.Setup.Faults.Has(ClockJump) {
		need = 0
	}
	for _, p := range s.w.pods() {
		if ref := metav1.GetControllerOf(p); ref == nil || ref.UID != set || nodeOf(p) != node {
			continue
		}
		if pt := s.pods[p.UID]; pt != nil && !pt.readyAt.IsZero() && s.w.now.Sub(pt.readyAt) >= need {
			return true
		}
	}
	return false
}

// surgeFinished checks that the Pod that took over was available (I5): Ready for minReadySeconds, but for the second that a stamp
// is cut to, and for clocks that are off.
func (s *sound) surgeFinished(old *corev1.Pod, set *setTruth, node string, by *serving) {
	uid, f := by.call().Daemon.UID, by.flight
	need := int32(math.MaxInt32)
	for _, ds := range set.specsSince(f.horizon) {
		need = min(need, ds.Spec.MinReadySeconds)
	}
	if s.w.Setup.Faults.Has(ClockJump) {
		need = 0
	}
	served := func(p *corev1.Pod) bool {
		t := s.pods[p.UID]
		if p.UID == old.UID || nodeOf(p) != node || t == nil {
			return false
		}
		long := func(since, till time.Time) bool {
			return !since.IsZero() && till.Sub(since) >= time.Duration(need)*time.Second-time.Second
		}
		return long(t.readyAt, f.started) || (!t.readyTill.Before(f.horizon) && long(t.wasReady, f.started))
	}
	ok := slices.ContainsFunc(s.w.pods(), func(p *corev1.Pod) bool { return metav1.IsControlledBy(p, by.call().Daemon) && served(p) })
	for _, t := range s.pods { // one that has vanished since the decision
		ok = ok || (t.ours(uid) && t.last != nil && served(t.last))
	}
	s.w.holds(SurgeBudget, ok, func() string { return fmt.Sprintf("%s goes before another serves on %s", old.Name, node) })
}

// matches tells that a DaemonSet selects a Pod.
func matches(ds *appsv1.DaemonSet, p *corev1.Pod) bool {
	selector, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
	return err == nil && selector.Matches(labels.Set(p.Labels))
}
