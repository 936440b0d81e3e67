package act

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var pods = schema.GroupResource{Resource: "pods"}

func TestErrorsOfTheAPIAreSorted(t *testing.T) {
	closing := apierrors.NewForbidden(pods, "p", errors.New("namespace default is being terminated"))
	closing.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for _, tc := range []struct {
		name    string
		err     error
		outcome Outcome
		unknown bool
		after   time.Duration
	}{
		{"nothing went wrong", nil, Done, false, 0},
		{"the connection broke", errors.New("EOF"), Busy, true, 0},
		{"the context of the attempt ran out", context.DeadlineExceeded, Busy, true, 0},
		{"quota", apierrors.NewForbidden(pods, "p", errors.New("exceeded quota")), Refused, false, 0},
		{"validation", apierrors.NewBadRequest("bad"), Refused, false, 0},
		{"the namespace is going away", closing, Closing, false, 0},
		{"no such object", apierrors.NewNotFound(pods, "p"), Gone, false, 0},
		{"a precondition failed", apierrors.NewConflict(pods, "p", errors.New("uid")), Conflict, false, 0},
		{"too many requests", apierrors.NewTooManyRequests("slow down", 7), Busy, false, 7 * time.Second},
		{"the server timed out", apierrors.NewServerTimeout(pods, "create", 3), Busy, true, 3 * time.Second},
		{"the server broke", apierrors.NewInternalError(errors.New("boom")), Busy, true, 0},
		{"wrapped", fmt.Errorf("outer: %w", apierrors.NewNotFound(pods, "p")), Gone, false, 0},
	} {
		o, unknown, after := classify(tc.err)
		if o != tc.outcome || unknown != tc.unknown || after != tc.after {
			t.Errorf("%s: %v, unknown %v, after %v; want %v, %v, %v", tc.name, o, unknown, after, tc.outcome, tc.unknown, tc.after)
		}
	}
}

func TestAReadIsRepeatedUntilItIsAnswered(t *testing.T) {
	tries, x := 0, NewExecutor(nil, time.Second, Sleep)
	v, err := persist(context.Background(), x, func(context.Context) (int, error) {
		if tries++; tries < 3 {
			return 0, errors.New("connection refused")
		}
		return 42, nil
	})
	if v != 42 || err != nil || tries != 3 {
		t.Errorf("%d, %v after %d tries", v, err, tries)
	}
	if _, err := persist(context.Background(), x, func(context.Context) (int, error) { return 0, apierrors.NewNotFound(pods, "p") }); !apierrors.IsNotFound(err) {
		t.Errorf("an absent object gives %v", err)
	}
}
