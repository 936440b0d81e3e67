package report

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// Event reasons, as upstream has them where it has them (U370).
const (
	SuccessfulCreate   = "SuccessfulCreate"
	FailedCreate       = "FailedCreate"
	SuccessfulDelete   = "SuccessfulDelete"
	FailedDelete       = "FailedDelete"
	FailedDaemonPod    = "FailedDaemonPod"
	SucceededDaemonPod = "SucceededDaemonPod"
	SelectingAll       = "SelectingAll"
	// FailedPlacement: a node should run the daemon and has no room or no free port for it (D3).
	FailedPlacement = "FailedPlacement"
	// RolloutBlocked: the API server would refuse a Pod of the new revision, so no old Pod is deleted.
	RolloutBlocked = "RolloutBlocked"
	// RolloutStalled: the rollout has not moved for a while, for nodes that use up its budget.
	RolloutStalled = "RolloutStalled"
	// SurgeRefused: maxSurge cannot be honoured with host ports (D9).
	SurgeRefused = "SurgeRefused"
	// FailedAdopt and FailedHistory: what else the API server can refuse.
	FailedAdopt   = "FailedAdopt"
	FailedHistory = "FailedHistory"
	// FailedPlan: nothing can be decided for the DaemonSet as it is.
	FailedPlan = "FailedPlan"
)

// Event is one event about a DaemonSet.
type Event struct {
	Type, Reason, Message string
	// Subject distinguishes events of one reason that must not hide each other, usually a node; may be empty.
	Subject string
}

func warning(reason, subject, format string, args ...any) Event {
	return Event{Type: corev1.EventTypeWarning, Reason: reason, Subject: subject, Message: fmt.Sprintf(format, args...)}
}

// Planned gives the events that a plan itself is reason for: Pods found ended, nodes without room, a selector that
// selects everything.
func Planned(p plan.Plan) []Event {
	var out []Event
	if p.Problem != nil {
		out = append(out, warning(SelectingAll, "", "This daemon set is selecting all pods. A non-empty selector is required."))
	}
	if p.Budget.PortsForbidSurge {
		out = append(out, warning(SurgeRefused, "", "maxSurge is not used: the template has a host port, which two Pods on a node cannot both hold; nodes are updated one at a time, or as maxUnavailable allows"))
	}
	for _, w := range p.Waits {
		switch w.Reason.Code {
		case fleet.NoRoom, fleet.PortTaken:
			out = append(out, warning(FailedPlacement, w.Node, "No Pod on node %s: %s", w.Node, w.Reason.Detail))
		}
	}
	return out
}

// Ended gives the event for the deletion of a Pod that had ended; ok is false for any other action.
func Ended(a plan.Action) (Event, bool) {
	switch a.Reason.Code {
	case fleet.PodFailed:
		return warning(FailedDaemonPod, a.Node, "Found failed daemon pod %s on node %s, will try to kill it: %s", a.Pod.Key(), a.Node, a.Reason.Detail), true
	case fleet.PodSucceeded:
		return Event{
			Type: corev1.EventTypeNormal, Reason: SucceededDaemonPod, Subject: a.Node,
			Message: fmt.Sprintf("Found succeeded daemon pod %s on node %s, will try to delete it: %s", a.Pod.Key(), a.Node, a.Reason.Detail),
		}, true
	}
	return Event{}, false
}

// Refused gives the event for a call that the API server refused.
func Refused(a plan.Action, err error) Event {
	switch a.Kind {
	case plan.Create:
		return warning(FailedCreate, "", "Error creating: %v", err)
	case plan.Delete:
		return warning(FailedDelete, "", "Error deleting: %v", err)
	case plan.DryRun:
		return warning(RolloutBlocked, "", "No Pod is replaced: the API server would refuse the new one: %v", err)
	case plan.Revise:
		return warning(FailedHistory, "", "Error writing the revision history: %v", err)
	default:
		return warning(FailedAdopt, a.Node, "Error on %s of Pod %s: %v", a.Kind, a.Pod.Key(), err)
	}
}

// Created and Deleted sum up calls that went well, so that a large step is one event.

// Created is the event for Pods that were made.
func Created(names []string) Event { return summed(SuccessfulCreate, "Created", names) }

// Deleted is the event for Pods that were deleted.
func Deleted(names []string) Event { return summed(SuccessfulDelete, "Deleted", names) }

func summed(reason, verb string, names []string) Event {
	const shown = 5
	e := Event{Type: corev1.EventTypeNormal, Reason: reason}
	switch n := len(names); {
	case n == 1:
		e.Message = fmt.Sprintf("%s pod: %s", verb, names[0])
	case n <= shown:
		e.Message = fmt.Sprintf("%s %d pods: %s", verb, n, strings.Join(names, ", "))
	default:
		e.Message = fmt.Sprintf("%s %d pods: %s and %d more", verb, n, strings.Join(names[:shown], ", "), n-shown)
	}
	return e
}

// Undecided gives the event for a DaemonSet that no plan could be made for.
func Undecided(err error) Event {
	return warning(FailedPlan, "", "Nothing is changed: %v", err)
}
