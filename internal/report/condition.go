package report

import (
	"fmt"
	"iter"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// The conditions that everynode keeps on a DaemonSet; the built-in controller keeps none. No type is among them that kstatus
// takes for its own (Ready, Reconciling, Stalled), so tools judge the object by its numbers as before.
const (
	// Available: no more nodes are without an available Pod than the strategy allows.
	Available appsv1.DaemonSetConditionType = "Available"
	// Progressing: the current revision is rolled out, or on its way.
	Progressing appsv1.DaemonSetConditionType = "Progressing"
)

// ConditionTypes are the types that are everynode's own. Those of others are left alone.
var ConditionTypes = []appsv1.DaemonSetConditionType{Available, Progressing}

// Reasons of conditions. Progressing is False for RolloutBlocked too, an event's reason, or for the fleet.Code of what most
// nodes wait for.
const (
	MinimumNodesAvailable   = "MinimumNodesAvailable"
	MinimumNodesUnavailable = "MinimumNodesUnavailable"
	RollingOut              = "RollingOut"
	RolloutComplete         = "RolloutComplete"
)

func says(t appsv1.DaemonSetConditionType, status corev1.ConditionStatus, reason, format string, args ...any) appsv1.DaemonSetCondition {
	return appsv1.DaemonSetCondition{Type: t, Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// available compares the nodes without an available Pod with what the strategy allows, as a Deployment does. Beyond that, a
// daemon that is available nowhere is not Available, although maxUnavailable may be as many as there are nodes. OnDelete has
// no number, so it allows none.
func available(p plan.Plan) appsv1.DaemonSetCondition {
	c, allowed := p.Counts, int32(0)
	limit := "strategy OnDelete allows none to be without"
	if p.Budget.Strategy == appsv1.RollingUpdateDaemonSetStrategyType {
		allowed = int32(min(p.Budget.MaxUnavailable, int(c.Desired)))
		limit = fmt.Sprintf("maxUnavailable is %d", p.Budget.MaxUnavailable)
	}
	needed := max(c.Desired-allowed, min(1, c.Desired))
	status, reason := corev1.ConditionTrue, MinimumNodesAvailable
	if c.Available < needed {
		status, reason = corev1.ConditionFalse, MinimumNodesUnavailable
	}
	return says(Available, status, reason, "Available on %d of %s; needed: %d (%s).", c.Available, nodes(int(c.Desired)), needed, limit)
}

// progressing tells about the rollout of the current revision. It stays complete when Pods fail or nodes join later, as a
// Deployment does: that is for Available to tell. writing tells that the status is written anyway.
func progressing(p plan.Plan, g Progress, now time.Time, waits iter.Seq[plan.Wait], writing bool) appsv1.DaemonSetCondition {
	c, old := p.Counts, standing(p)
	if complete(p) {
		return says(Progressing, corev1.ConditionTrue, RolloutComplete, completeText, p.Hash)
	}
	if p.Budget.Strategy == appsv1.OnDeleteDaemonSetStrategyType && c.Updated < c.Current {
		return says(Progressing, corev1.ConditionFalse, string(fleet.UpdateOnDelete),
			"%s an older revision, and strategy OnDelete leaves the update to you: delete a Pod to update its node.", counted(int(c.Current-c.Updated), "has", "have"))
	}
	if p.Waiting[fleet.DryRunFirst] > 0 {
		if why := p.Daemon.StalledWhy; why.Code == fleet.CallBackoff {
			return says(Progressing, corev1.ConditionFalse, RolloutBlocked, "No Pod is replaced before the API server would accept a new one. It said: %s", why.Detail)
		}
		if old != nil && old.Reason == RolloutBlocked {
			return *old // it is being asked again
		}
	} else if old != nil && old.Reason == RolloutBlocked {
		old = nil // it was let in
	}
	// What was told stays told until something moves; what is seen in between, a retry under way, is no movement.
	told := old != nil && !g.moved
	switch {
	case told && (!writing || blocked(p) == 0):
		return *old
	case told:
		return says(Progressing, corev1.ConditionFalse, old.Reason, "%s", stalled(p, waits).Message)
	case !now.Before(g.deadline(p)):
		return stalled(p, waits)
	}
	return says(Progressing, corev1.ConditionTrue, RollingOut, "Revision %s is on %d of %s; available on %d.", p.Hash, c.Updated, nodes(int(c.Desired)), c.Available)
}

// standing is what was told last if it was that the rollout, of the DaemonSet as it is now, does not go on by itself; or nil.
func standing(p plan.Plan) *appsv1.DaemonSetCondition {
	s := p.Daemon.Object.Status
	old := condition(s, Progressing)
	if old == nil || old.Status != corev1.ConditionFalse || old.Reason == string(fleet.UpdateOnDelete) || s.ObservedGeneration < p.Daemon.Object.Generation {
		return nil
	}
	return old
}

// completeText names the revision: it is what tells later whose completion was told.
const completeText = "Revision %s is rolled out."

// complete tells that no node is left to update: all are, and available, or they were and none has been outdated since.
func complete(p plan.Plan) bool {
	c := p.Counts
	if c.Updated != c.Current {
		return false
	}
	old := condition(p.Daemon.Object.Status, Progressing)
	return (c.Updated == c.Desired && c.Available == c.Desired) ||
		(c.Current > 0 && old != nil && old.Reason == RolloutComplete && old.Message == fmt.Sprintf(completeText, p.Hash))
}

// condition gives the condition of a type, or nil.
func condition(s appsv1.DaemonSetStatus, t appsv1.DaemonSetConditionType) *appsv1.DaemonSetCondition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == t {
			return &s.Conditions[i]
		}
	}
	return nil
}

// set puts a condition in its place. Its time of transition is kept while its status is the same.
func set(s *appsv1.DaemonSetStatus, c appsv1.DaemonSetCondition, now time.Time) {
	old := condition(*s, c.Type)
	switch {
	case old == nil:
		c.LastTransitionTime = metav1.NewTime(now).Rfc3339Copy()
		s.Conditions = append(s.Conditions, c)
		return
	case old.Status == c.Status:
		c.LastTransitionTime = old.LastTransitionTime
	default:
		c.LastTransitionTime = metav1.NewTime(now).Rfc3339Copy()
	}
	*old = c
}

// conditionsDiffer tells whether an own condition of b says something else than that of a, or for another reason.
func conditionsDiffer(a, b appsv1.DaemonSetStatus) bool {
	for _, t := range ConditionTypes {
		was, is := condition(a, t), condition(b, t)
		if is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason) {
			return true
		}
	}
	return false
}
