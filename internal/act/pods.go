package act

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/plan"
)

// create makes a Pod under its derived name. Whatever the answer was, or if there was none, what holds the name in the end
// decides the outcome.
func (x *Executor) create(ctx context.Context, c Call) Answer {
	pod := plan.NewPod(c.Daemon, c.Hash, c.Action.Node, c.Action.Name, c.Placement)
	actx, cancel := x.attempt(ctx)
	made, err := x.api.CreatePod(actx, pod, metav1.CreateOptions{})
	cancel()
	if err == nil {
		return Answer{Outcome: Done, Pod: made}
	}
	first := answered(err)
	_, unknown, _ := classify(err)
	if !unknown && !apierrors.IsAlreadyExists(err) {
		return first
	}
	held, err := persist(ctx, x, func(ctx context.Context) (*corev1.Pod, error) {
		return x.api.GetPod(ctx, pod.Namespace, pod.Name)
	})
	switch {
	case apierrors.IsNotFound(err):
		first.Outcome, first.Unsure = Busy, unknown // not made, or gone again, or yet to come
		return first
	case err != nil:
		return answered(err)
	case metav1.IsControlledBy(held, c.Daemon):
		return Answer{Outcome: Done, Pod: held, Unsure: unknown} // another request may have made it
	default:
		return Answer{Outcome: Taken, Pod: held, Unsure: unknown, Err: fmt.Errorf("the name %s is held by a Pod of another owner", held.Name)}
	}
}

// dryRun asks the server whether it would accept a Pod of the new revision. Quota is counted as if the old Pod stayed, so
// a new Pod that asks for no more than the old one is not held up by it.
func (x *Executor) dryRun(ctx context.Context, c Call) Answer {
	pod := plan.NewPod(c.Daemon, c.Hash, c.Action.Node, "", c.Placement)
	actx, cancel := x.attempt(ctx)
	defer cancel()
	_, err := x.api.CreatePod(actx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if overQuota(err) && c.Action.Pod.Requests.Covers(c.Pending.Requests) {
		err = nil
	}
	return answered(err)
}

// overQuota recognises the refusal of the quota admission plugin, which has no status cause of its own.
func overQuota(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota")
}

// delete removes a Pod, if it is still the one that the plan saw.
func (x *Executor) delete(ctx context.Context, c Call) Answer {
	opts := metav1.DeleteOptions{Preconditions: preconditions(c.Action)}
	if c.Action.NodeGone {
		if a, gone := x.nodeGone(ctx, c.Action.Node); !gone {
			return a
		}
		var now int64
		opts.GracePeriodSeconds = &now // no kubelet is left to end it
	}
	pod := c.Action.Pod
	a := answered(x.insist(ctx, func(ctx context.Context) error { return x.api.DeletePod(ctx, pod.Namespace, pod.Name, opts) }))
	if a.Outcome != Conflict && a.Outcome != Gone {
		return a
	}
	return x.bringHome(ctx, c, a)
}

// bringHome reads what the Pod of a refused call is now, so that the next plan is not made from the same old view. A webhook can
// say 404 or 409 too, of a Pod that is there as it was: that is a refusal.
func (x *Executor) bringHome(ctx context.Context, c Call, a Answer) Answer {
	pod := c.Action.Pod
	fresh, err := persist(ctx, x, func(ctx context.Context) (*corev1.Pod, error) {
		return x.api.GetPod(ctx, pod.Namespace, pod.Name)
	})
	switch {
	case apierrors.IsNotFound(err) || (err == nil && fresh.UID != pod.UID):
		a.Outcome = Gone
	case err != nil:
	case fresh.ResourceVersion == pod.ResourceVersion():
		a.Outcome = Refused
	default:
		a.Outcome, a.Pod = Conflict, fresh
	}
	return a
}

// nodeGone confirms by a live read that the node does not exist.
func (x *Executor) nodeGone(ctx context.Context, name string) (Answer, bool) {
	actx, cancel := x.attempt(ctx)
	defer cancel()
	_, err := x.api.GetNode(actx, name)
	switch {
	case apierrors.IsNotFound(err):
		return Answer{}, true
	case err == nil:
		return Answer{Outcome: Conflict, Err: fmt.Errorf("node %s exists again", name)}, false
	default:
		return answered(err), false
	}
}

// alive reads the DaemonSet live: it must be the same and not be deleted, or nothing is adopted for it (U054).
func (x *Executor) alive(ctx context.Context, ds *appsv1.DaemonSet) (Answer, bool) {
	actx, cancel := x.attempt(ctx)
	defer cancel()
	live, err := x.api.GetDaemonSet(actx, ds.Namespace, ds.Name)
	switch {
	case err != nil:
		return answered(err), false
	case live.UID != ds.UID || live.DeletionTimestamp != nil:
		return Answer{Outcome: Gone, Err: fmt.Errorf("DaemonSet %s/%s is being deleted or was replaced", ds.Namespace, ds.Name)}, false
	default:
		return Answer{}, true
	}
}
