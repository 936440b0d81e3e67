package act

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// object is the part of a patch that all three kinds share. The uid makes the API server refuse it for a namesake.
type object struct {
	Metadata map[string]any `json:"metadata"`
}

func (x *Executor) patchPod(ctx context.Context, c Call, kind types.PatchType, metadata map[string]any) Answer {
	metadata["uid"] = c.Action.Pod.UID
	body, err := json.Marshal(object{Metadata: metadata})
	if err != nil {
		return Answer{Outcome: Refused, Err: err}
	}
	actx, cancel := x.attempt(ctx)
	defer cancel()
	var pod *corev1.Pod
	pod, err = x.api.PatchPod(actx, c.Action.Pod.Namespace, c.Action.Pod.Name, kind, body)
	a := answered(err)
	switch {
	case err == nil:
		a.Pod = pod
	case apierrors.IsInvalid(err) || apierrors.IsConflict(err): // a namesake, or another controller was faster
		a = x.bringHome(ctx, c, a)
	}
	return a
}

// adopt makes the DaemonSet the controller of an orphan (U053), if it is still as the plan saw it: one that has been asked to end
// since then, or has other labels, is no concern of the DaemonSet's.
func (x *Executor) adopt(ctx context.Context, c Call) Answer {
	if a, ok := x.alive(ctx, c.Daemon); !ok {
		return a
	}
	ref := metav1.NewControllerRef(c.Daemon, appsv1.SchemeGroupVersion.WithKind(fleet.DaemonSetKind))
	return x.patchPod(ctx, c, types.StrategicMergePatchType, map[string]any{
		"resourceVersion": c.Action.Pod.ResourceVersion(), "ownerReferences": []any{ref},
	})
}

// release takes the DaemonSet out of a Pod's owners (U052). A Pod that is gone, or no longer owned, is released.
func (x *Executor) release(ctx context.Context, c Call) Answer {
	a := x.patchPod(ctx, c, types.StrategicMergePatchType, map[string]any{
		"ownerReferences": []any{map[string]any{"$patch": "delete", "uid": c.Daemon.UID}},
	})
	if apierrors.IsInvalid(a.Err) {
		a.Outcome = Gone
	}
	return a
}

// relabel gives a Pod the hash of another revision with the same data (U191).
func (x *Executor) relabel(ctx context.Context, c Call) Answer {
	return x.patchPod(ctx, c, types.MergePatchType, map[string]any{
		"labels": map[string]any{appsv1.DefaultDaemonSetUniqueLabelKey: c.Action.Hash},
	})
}
