package model

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// scribe is an API that only writes down the patch that is sent to it.
type scribe struct {
	act.API
	ds   *appsv1.DaemonSet
	kind types.PatchType
	body []byte
}

// GetDaemonSet is what an adoption asks before it patches.
func (s *scribe) GetDaemonSet(context.Context, string, string) (*appsv1.DaemonSet, error) {
	live := s.ds.DeepCopy()
	live.DeletionTimestamp = nil
	return live, nil
}

// PatchPod writes it down.
func (s *scribe) PatchPod(_ context.Context, _, _ string, kind types.PatchType, body []byte) (*corev1.Pod, error) {
	s.kind, s.body = kind, body
	return &corev1.Pod{}, nil
}

// written is the very patch that internal/act sends.
func written(ctx context.Context, ds *appsv1.DaemonSet, kind plan.Kind, pod *fleet.Pod, hash string) (types.PatchType, []byte) {
	s := &scribe{ds: ds}
	act.NewExecutor(s, time.Minute, act.Sleep).Do(ctx, act.Call{Daemon: ds, Action: plan.Action{
		Kind: kind, Hash: hash, Pod: pod,
	}})
	return s.kind, s.body
}
