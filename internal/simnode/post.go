package simnode

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// beat posts the Node's status when that is due.
func (a *actor) beat(ctx context.Context, now time.Time) {
	k := a.kubelet
	patch := k.heartbeat(now)
	if patch == nil {
		return
	}
	if err := a.postStatus(ctx, patch); err != nil {
		k.beat.status, k.beat.urgent = now.Add(beatRetry), true
		if ctx.Err() == nil && !apierrors.IsNotFound(err) {
			a.hub.opts.Log.Error(err, "posting the status of a node", "node", k.name)
		}
	}
}

func (a *actor) postStatus(ctx context.Context, patch *nodePatch) error {
	data, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": a.kubelet.node.UID}, // never another node of this name
		"status":   patch,
	})
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	_, err = a.hub.client.CoreV1().Nodes().Patch(ctx, a.kubelet.name, types.StrategicMergePatchType, data, metav1.PatchOptions{}, "status")
	return err
}
