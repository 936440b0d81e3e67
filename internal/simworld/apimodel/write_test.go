package apimodel

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestShorten: a second delete counts from the first one, and leaves a second at least to whoever ends the Pod. test/model has
// no time to wait for this.
func TestShorten(t *testing.T) {
	begin := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		after     time.Duration
		grace     int64
		wantAt    time.Duration // after begin
		wantGrace int64
	}{
		"brought forward":             {5 * time.Second, 10, 10 * time.Second, 10},
		"its end would have passed":   {20 * time.Second, 10, 20 * time.Second, 1},
		"not brought forward, longer": {5 * time.Second, 60, 30 * time.Second, 30},
	} {
		t.Run(name, func(t *testing.T) {
			now := begin
			s := New(func() time.Time { return now })
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"}, Spec: corev1.PodSpec{NodeName: "n"}}
			if _, err := s.CreatePod("user", pod, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := s.DeletePod("user", "default", "p", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			now = begin.Add(c.after)
			if err := s.DeletePod("user", "default", "p", metav1.DeleteOptions{GracePeriodSeconds: &c.grace}); err != nil {
				t.Fatal(err)
			}
			got, err := s.GetPod("default", "p")
			if err != nil {
				t.Fatal(err)
			}
			if at := got.DeletionTimestamp.Sub(begin); at != c.wantAt || *got.DeletionGracePeriodSeconds != c.wantGrace {
				t.Errorf("ends after %v with a grace of %d; want %v, %d", at, *got.DeletionGracePeriodSeconds, c.wantAt, c.wantGrace)
			}
		})
	}
}
