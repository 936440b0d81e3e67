package act

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"

	"github.com/everynode/everynode/internal/report"
)

func TestALastingWarningIsSentAndCountedOnce(t *testing.T) {
	recorder := record.NewFakeRecorder(16)
	h := NewHerald(recorder, scheme.Scheme)
	var counted []string
	h.OnSent(func(kind, reason string) { counted = append(counted, kind+" "+reason) })
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "d", UID: "1"}}
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for range 3 {
		h.Say(ds, report.Event{Type: corev1.EventTypeWarning, Reason: report.FailedPlacement, Subject: "n1", Message: "no room"}, now)
		h.Say(ds, report.Created([]string{"p"}), now)
		now = now.Add(time.Minute)
	}
	h.Say(ds, report.Event{Type: corev1.EventTypeWarning, Reason: report.FailedPlacement, Subject: "n2", Message: "no room"}, now)
	want := []string{"Warning FailedPlacement", "Normal SuccessfulCreate", "Normal SuccessfulCreate", "Normal SuccessfulCreate", "Warning FailedPlacement"}
	if !slices.Equal(counted, want) || len(recorder.Events) != len(want) {
		t.Errorf("counted %q, sent %d; want %q", counted, len(recorder.Events), want)
	}
}
