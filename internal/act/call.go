package act

import (
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// Call is one piece of work for the API server.
type Call struct {
	// Daemon is the DaemonSet as the plan saw it.
	Daemon *appsv1.DaemonSet
	// Action is what to do; unused when Status is set.
	Action plan.Action
	// Hash is the current revision's, for the labels of created Pods.
	Hash string
	// Placement says how a created Pod gets to its node.
	Placement plan.Placement
	// Pending is the fact that stands in for the Pod of a Create.
	Pending *fleet.Pod
	// Status, if set, is written to the DaemonSet.
	Status *appsv1.DaemonSetStatus
}

// Outcome says what became of a call.
type Outcome uint8

// The outcomes.
const (
	// Done: as asked, by this call or by an earlier one whose answer was lost.
	Done Outcome = iota
	// Refused: the API server will not have it: quota, admission, validation, permission. Err has its text.
	Refused
	// Closing: refused because the namespace is being deleted (U092).
	Closing
	// Busy: not done for lack of capacity or connection: 429, 5xx, time-out.
	Busy
	// Conflict: the object is no longer as the plan saw it.
	Conflict
	// Gone: the object no longer exists.
	Gone
	// Taken: the derived name belongs to a Pod of somebody else.
	Taken
	// Stopped: the controller is stopping; what became of the call is not known.
	Stopped
)

// String gives the outcome's name in lower case, as metrics have it.
func (o Outcome) String() string {
	return [...]string{"done", "refused", "closing", "busy", "conflict", "gone", "taken", "stopped"}[o]
}

// Answer is what became of a call.
type Answer struct {
	Call
	Outcome Outcome
	// Err is the API server's, for Refused and Busy.
	Err error
	// Pod, DaemonSet and Revision are the object as the API server last had it; nil when it gave none.
	Pod       *corev1.Pod
	DaemonSet *appsv1.DaemonSet
	Revision  *appsv1.ControllerRevision
	// Unsure tells of a Create that was not answered that the request may still be on its way to the API server.
	Unsure bool
	// RetryAfter is what a busy API server asked for; zero when it did not.
	RetryAfter time.Duration
	Took       time.Duration
}

// Why is the API server's text, or the outcome's name where there is none.
func (a Answer) Why() string {
	if a.Err == nil {
		return a.Outcome.String()
	}
	return a.Err.Error()
}

// Answered tells that the API server, or a webhook for it, said no, in words that a person should read. A conflict that
// brought the changed object home is no such thing, nor is the end of a namespace, nor a connection that failed.
func (a Answer) Answered() bool {
	var status apierrors.APIStatus
	if !errors.As(a.Err, &status) || a.Pod != nil {
		return false
	}
	switch a.Outcome {
	case Refused, Busy:
		return true
	case Conflict, Gone:
		return a.Action.Kind == plan.Create || a.Action.Kind == plan.DryRun
	default:
		return false
	}
}
