package act

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// classify sorts an error of the API. unknown tells that the call may nevertheless have been carried out.
func classify(err error) (o Outcome, unknown bool, retryAfter time.Duration) {
	if err == nil {
		return Done, false, 0
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return Busy, true, 0 // no answer at all: refused connection, broken stream, local time-out
	}
	if s, ok := apierrors.SuggestsClientDelay(err); ok {
		retryAfter = time.Duration(s) * time.Second
	}
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return Closing, false, retryAfter
	case apierrors.IsNotFound(err):
		return Gone, false, retryAfter
	case apierrors.IsConflict(err):
		return Conflict, false, retryAfter
	case apierrors.IsTooManyRequests(err):
		return Busy, false, retryAfter
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err), status.Status().Code >= 500:
		return Busy, true, retryAfter
	default:
		return Refused, false, retryAfter
	}
}

// insist repeats a call that does the same when done twice until it is known whether it was carried out. To take an
// unknown outcome for a failure would let another Pod be taken in its place, beyond the budget.
func (x *Executor) insist(ctx context.Context, call func(context.Context) error) error {
	_, err := repeat(ctx, x.pause, func(err error) bool { _, unknown, _ := classify(err); return unknown }, func() (struct{}, error) {
		actx, cancel := x.attempt(ctx)
		defer cancel()
		return struct{}{}, call(actx)
	})
	return err
}

// persist repeats a read until it is answered, found or not, or ctx ends.
func persist[T any](ctx context.Context, x *Executor, read func(context.Context) (T, error)) (T, error) {
	return repeat(ctx, x.pause, func(err error) bool { o, _, _ := classify(err); return o == Busy }, func() (T, error) {
		actx, cancel := x.attempt(ctx)
		defer cancel()
		return read(actx)
	})
}

// Pauses between the tries of a call that is repeated until it is answered.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
)

// repeat tries with growing pauses as long as the error asks for it, or until ctx ends; it gives the last answer.
func repeat[T any](ctx context.Context, pause Pause, again func(error) bool, try func() (T, error)) (T, error) {
	for d := firstPause; ; d = min(2*d, longestPause) {
		v, err := try()
		if !again(err) || ctx.Err() != nil {
			return v, err
		}
		if pause(ctx, d); ctx.Err() != nil {
			return v, err
		}
	}
}
