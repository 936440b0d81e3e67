package simworld

import (
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// Fault is a kind of trouble. Each schedule switches a random set of them on.
type Fault uint8

// The faults, with their numbers in the project's catalogue.
const (
	Lag           Fault = iota // F1: a watch lags behind, each resource by itself
	Backwards                  // F2: a fresh list comes from a server that lags behind what was seen
	WatchDrops                 // F3: a watch ends, history is compacted, 410 and a fresh list follow
	Duplicates                 // F4: events come twice
	Expiry                     // F5: history is compacted while a list is under way
	CrashBefore                // F6: the process dies as it is about to send
	CrashAfter                 // F7: the process dies when the server has committed
	LostRequest                // F8: no answer, and nothing was done
	LostAnswer                 // F8: no answer, and it was done
	LateCommit                 // F8: no answer within the time limit; it is done long after
	Conflict                   // F9: 409 from nowhere
	TooMany                    // F10: 429 with Retry-After
	ServerError                // F11: 500 and 503, before or after the commit
	Slow                       // F12: seconds to a minute, answers overtake each other
	Outage                     // F13, F14: no API for a while, watches end
	Quota                      // F15: a ResourceQuota denies
	Webhook                    // F16: a webhook denies, with whatever status, or changes the Pod
	Closing                    // F17: the namespace is being deleted; PodSecurity denies
	Flapping                   // F18: taints, labels and readiness of nodes change
	NodeReplaced               // F19: a node is deleted and comes back under its name
	Stuck                      // F20: a Pod does not end: finalizer, dead kubelet
	Rejection                  // F21: the kubelet fails Pods at once
	ThirdParty                 // F22: others delete, label, orphan and adopt Pods
	SpecEdits                  // F23: the spec changes in mid-rollout, also back and forth
	Recreation                 // F24: the DaemonSet is deleted, in all three ways, and made anew
	RevisionEdits              // F25: revisions are deleted, edited, or their names are taken
	Pause                      // F26, F28: a process stands still, longer than its lease too
	SlowConsumer               // F27: the loop is late to take what has come
	ClockJump                  // F28: the wall clock jumps by a day; kubelets' clocks are off
	faultCount
)

var faultNames = [faultCount]string{
	"F1 lag", "F2 backwards list", "F3 watch drop", "F4 duplicates", "F5 expiry", "F6 crash before", "F7 crash after",
	"F8 lost request", "F8 lost answer", "F8 late commit", "F9 conflict", "F10 too many", "F11 server error", "F12 slow",
	"F13 outage", "F15 quota", "F16 webhook", "F17 closing", "F18 flapping", "F19 node replaced", "F20 stuck",
	"F21 rejection", "F22 third party", "F23 spec edits", "F24 recreation", "F25 revision edits", "F26 pause",
	"F27 slow consumer", "F28 clock jump",
}

// String gives the fault's number and name.
func (f Fault) String() string { return faultNames[f] }

// onCalls are the faults that hit single requests.
var onCalls = []Fault{CrashBefore, CrashAfter, LostRequest, LostAnswer, LateCommit, Conflict, TooMany, ServerError, Slow}

// Faults is a set of them.
type Faults uint64

// Has tells whether f is switched on.
func (s Faults) Has(f Fault) bool { return s&(1<<f) != 0 }

// With gives the set with f.
func (s Faults) With(f Fault) Faults { return s | 1<<f }

// Without gives the set without f.
func (s Faults) Without(f Fault) Faults { return s &^ (1 << f) }

// timeOut is how long a client waits for an answer.
const timeOut = 30 * time.Second

// serverError is what a server says that is in trouble.
func serverError(k apimodel.Kind, d dice) error {
	switch d.roll(11, 3) {
	case 0:
		return status(http.StatusInternalServerError, metav1.StatusReasonInternalError, "etcdserver: request timed out")
	case 1:
		return status(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "the server is currently unable to handle the request")
	default:
		return status(http.StatusGatewayTimeout, metav1.StatusReasonTimeout, "request did not complete within the time limit: "+string(k))
	}
}

func status(code int32, reason metav1.StatusReason, text string) *apierrors.StatusError {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: text}}
}
