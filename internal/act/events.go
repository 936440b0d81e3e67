package act

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/tools/reference"

	"github.com/everynode/everynode/internal/report"
)

// Component is the source that events carry.
const Component = "everynode"

// repeatAfter is how long the same event about the same subject is not sent again.
const repeatAfter = 10 * time.Minute

// Herald sends events about DaemonSets. It remembers what it said, so that a state that lasts is told once and not on
// every plan. One goroutine uses it.
type Herald struct {
	recorder record.EventRecorder
	scheme   *runtime.Scheme
	said     map[saying]time.Time
	sent     func(kind, reason string)
}

type saying struct {
	uid             types.UID
	reason, subject string
}

// NewHerald makes a Herald that sends through a recorder.
func NewHerald(recorder record.EventRecorder, scheme *runtime.Scheme) *Herald {
	return &Herald{recorder: recorder, scheme: scheme, said: map[saying]time.Time{}}
}

// OnSent has f told of each event that goes out.
func (h *Herald) OnSent(f func(kind, reason string)) { h.sent = f }

// NewRecorder makes the recorder for a cluster; stop flushes and ends it.
func NewRecorder(client kubernetes.Interface, scheme *runtime.Scheme) (r record.EventRecorder, stop func()) {
	b := record.NewBroadcaster()
	b.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return b.NewRecorder(scheme, corev1.EventSource{Component: Component}), b.Shutdown
}

// Say sends an event. One that is about a lasting state, with a subject, is not repeated for a while; changing numbers in
// its message do not make it new.
func (h *Herald) Say(ds *appsv1.DaemonSet, e report.Event, now time.Time) {
	if e.Type == corev1.EventTypeWarning {
		key := saying{uid: ds.UID, reason: e.Reason, subject: e.Subject}
		if last, ok := h.said[key]; ok && now.Before(last.Add(h.interval(e))) {
			return
		}
		h.said[key] = now
	}
	ref, err := reference.GetReference(h.scheme, ds)
	if err != nil {
		return // only for a type that the scheme does not know, which a DaemonSet is not
	}
	h.recorder.Event(ref, e.Type, e.Reason, e.Message)
	if h.sent != nil {
		h.sent(e.Type, e.Reason)
	}
}

// interval is how soon a warning of this kind may come again: what the kubelet said of a failed Pod is news each time.
func (h *Herald) interval(e report.Event) time.Duration {
	switch e.Reason {
	case report.FailedDaemonPod:
		return 0
	case report.FailedCreate, report.FailedDelete:
		return 30 * time.Second
	default:
		return repeatAfter
	}
}

// Forget drops what was said long ago.
func (h *Herald) Forget(now time.Time) {
	for key, at := range h.said {
		if now.After(at.Add(2 * repeatAfter)) {
			delete(h.said, key)
		}
	}
}
