package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/everynode/everynode/internal/snapshot"
)

// pageSize is kubectl's: each page costs a round trip, and a page of whole Pods is a megabyte or two.
const pageSize = 500

// each gives take page after page, so that whole objects need not be kept.
func each[L runtime.Object](ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), o metav1.ListOptions, take func(L) error) error {
	o.Limit = pageSize
	for {
		page, err := list(ctx, o)
		if next := newer(err); next != "" {
			o.Continue = next
			continue
		}
		if err != nil {
			return err
		}
		if err := take(page); err != nil {
			return err
		}
		m, err := meta.ListAccessor(page)
		if err != nil {
			return err
		}
		if o.Continue = m.GetContinue(); o.Continue == "" {
			return nil
		}
	}
}

// newer gives the token with which a list that has become too old between two pages goes on with the present state, behind
// the last object. The pages are then of two moments, which is good enough for people.
func newer(err error) string {
	var status apierrors.APIStatus
	if apierrors.IsResourceExpired(err) && errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}

// missing gathers what could not be read, from several goroutines.
type missing struct {
	mu sync.Mutex
}

// refused tells that the person may not read this, or that the server does not serve it.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err)
}

// without goes on after a refusal and notes what cannot be told without it. Any other error stays one.
func (r *reading) without(err error, resource, namespace, effect string) error {
	if err == nil {
		return nil
	}
	if !refused(err) {
		return fmt.Errorf("list %s: %w", resource, err)
	}
	r.missing.mu.Lock()
	defer r.missing.mu.Unlock()
	r.snapshot.Missing = append(r.snapshot.Missing, snapshot.Missing{
		Verb: "list", Resource: resource, Namespace: namespace, Why: string(apierrors.ReasonForError(err)), Effect: effect,
	})
	return nil
}
