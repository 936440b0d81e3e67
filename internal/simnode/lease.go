package simnode

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// leaseSeconds is the duration that a kubelet writes into its lease.
const leaseSeconds = 40

// beatRetry is how soon a heartbeat that failed is tried again.
const beatRetry = time.Second

// beat posts the Node's status and renews its lease, when they are due.
func (a *actor) beat(ctx context.Context, now time.Time) {
	k := a.kubelet
	patch, renew := k.heartbeat(now)
	if patch != nil {
		if err := a.postStatus(ctx, patch); err != nil {
			k.beat.status, k.beat.urgent = now.Add(beatRetry), true
			a.beatFailed(ctx, err, "posting the status of a node")
		}
	}
	if renew {
		if err := a.renew(ctx, now); err != nil {
			k.beat.lease = now.Add(beatRetry)
			a.beatFailed(ctx, err, "renewing the lease of a node")
		}
	}
}

// beatFailed logs what is no mere consequence of the node's end, or of ours.
func (a *actor) beatFailed(ctx context.Context, err error, what string) {
	if ctx.Err() == nil && !apierrors.IsNotFound(err) {
		a.hub.opts.Log.Error(err, what, "node", a.kubelet.name)
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

// renew updates the lease as it was written last. If there is none, or somebody else has touched it, it is read first,
// and made when it does not exist.
func (a *actor) renew(ctx context.Context, now time.Time) error {
	leases := a.hub.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	stamp := ptr.To(metav1.NewMicroTime(now.Add(a.kubelet.knobs.skew)))
	if a.lease != nil {
		lease := a.lease.DeepCopy()
		lease.Spec.RenewTime = stamp
		lease.OwnerReferences = a.owner()
		written, err := leases.Update(ctx, lease, metav1.UpdateOptions{})
		if err == nil {
			a.lease = written
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
		a.lease = nil
	}
	created, err := leases.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: a.kubelet.name, OwnerReferences: a.owner()},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &a.kubelet.name, LeaseDurationSeconds: ptr.To[int32](leaseSeconds), RenewTime: stamp,
		},
	}, metav1.CreateOptions{})
	if err == nil {
		a.lease = created
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	if a.lease, err = leases.Get(ctx, a.kubelet.name, metav1.GetOptions{}); err != nil {
		return err
	}
	a.kubelet.beat.lease = now // it exists: renew it in the next round
	return nil
}

// owner makes the lease go when the node goes.
func (a *actor) owner() []metav1.OwnerReference {
	node := a.kubelet.node
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}}
}
