package engine

import (
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
)

// do carries one call out, as the API server and act together would.
func (w *world) do(c act.Call) act.Answer {
	if c.Status != nil {
		return w.doStatus(c)
	}
	switch c.Action.Kind {
	case plan.Create:
		return w.doCreate(c)
	case plan.Delete:
		return w.doDelete(c)
	case plan.DryRun:
		if err := w.denied(c.Action.Node, 0); err != nil {
			return w.refusal(err)
		}
		return act.Answer{Outcome: act.Done}
	case plan.Revise:
		return w.doRevise(c)
	default:
		return w.doPatch(c)
	}
}

func (w *world) denied(node string, more int) error {
	if w.denyCreate != nil {
		if err := w.denyCreate(node); err != nil {
			return err
		}
	}
	if w.quota >= 0 && len(w.pods)+more > w.quota {
		return fmt.Errorf("exceeded quota: pods, requested: pods=1, used: pods=%d, limited: pods=%d", len(w.pods), w.quota)
	}
	return nil
}

// refusal is the answer to a call that is denied, with whatever status the one who denies has chosen.
func (w *world) refusal(err error) act.Answer {
	return act.Answer{Outcome: w.refuseAs, Err: &apierrors.StatusError{ErrStatus: metav1.Status{Message: err.Error()}}}
}

func (w *world) doCreate(c act.Call) act.Answer {
	pod := plan.NewPod(c.Daemon, c.Hash, c.Action.Node, c.Action.Name, c.Placement)
	w.writes++
	if err := w.denied(c.Action.Node, 1); err != nil {
		w.note("create %s on %s: %v", c.Daemon.Name, c.Action.Node, err)
		return w.refusal(err)
	}
	if held := w.pods[pod.Name]; held != nil {
		if metav1.IsControlledBy(held, c.Daemon) {
			return act.Answer{Outcome: act.Done, Pod: held.DeepCopy()}
		}
		return act.Answer{Outcome: act.Taken, Pod: held.DeepCopy(), Err: errors.New("name taken")}
	}
	pod.Status.Phase = corev1.PodPending
	w.touch(pod)
	w.pods[pod.Name] = pod
	w.note("create %s on %s (%s)", c.Daemon.Name, c.Action.Node, c.Action.Reason)
	w.tellPod(pod)
	w.later(0, func() { w.kubelet(pod, c.Action.Node) })
	return act.Answer{Outcome: act.Done, Pod: pod.DeepCopy()}
}

// kubelet admits a Pod, binding it first where placement is the scheduler's, and makes it Ready.
func (w *world) kubelet(pod *corev1.Pod, node string) {
	if pod.Spec.NodeName == "" {
		w.later(500*time.Millisecond, func() {
			w.changePod(pod, func(p *corev1.Pod) { p.Spec.NodeName = node })
		})
	}
	w.later(w.readyAfter, func() {
		switch {
		case w.mute[node]:
		case w.rejecting[node]:
			w.changePod(pod, func(p *corev1.Pod) {
				p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu", Message: "Node didn't have enough resource: cpu"}
			})
		case w.badImages[pod.Spec.Containers[0].Image]:
		default:
			w.changePod(pod, func(p *corev1.Pod) { setReady(p, true, w.now.Add(w.skew)) })
		}
	})
}

func setReady(p *corev1.Pod, ready bool, at time.Time) {
	p.Status.Phase = corev1.PodRunning
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(at)}}
}

func (w *world) doDelete(c act.Call) act.Answer {
	a := c.Action
	w.writes++
	pod := w.pods[a.Pod.Name]
	switch {
	case pod == nil || pod.UID != a.Pod.UID:
		return act.Answer{Outcome: act.Gone}
	case a.Guarded && pod.ResourceVersion != a.Pod.ResourceVersion():
		return act.Answer{Outcome: act.Conflict, Pod: pod.DeepCopy(), Err: errors.New("changed")}
	case a.NodeGone && w.nodes[a.Node] != nil:
		return act.Answer{Outcome: act.Conflict, Err: errors.New("the node exists")}
	}
	w.note("delete %s on %s (%s)", c.Daemon.Name, a.Node, a.Reason)
	w.terminate(pod, a.NodeGone)
	return act.Answer{Outcome: act.Done}
}

// terminate is what a DELETE does: at once for a Pod that no kubelet has, else after its grace period.
func (w *world) terminate(pod *corev1.Pod, force bool) {
	node := pod.Spec.NodeName
	ended := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	if (force || node == "" || ended) && len(pod.Finalizers) == 0 {
		w.removePod(pod)
		return
	}
	w.changePod(pod, func(p *corev1.Pod) { now := metav1.NewTime(w.now); p.DeletionTimestamp = &now })
	w.later(w.grace, func() { w.endPod(pod) })
}

func (w *world) endPod(pod *corev1.Pod) {
	if w.mute[pod.Spec.NodeName] {
		w.later(time.Second, func() { w.endPod(pod) })
		return
	}
	if q := w.pods[pod.Name]; q != nil && len(q.Finalizers) > 0 {
		w.changePod(pod, func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: corev1.PodFailed} })
		return
	}
	w.removePod(pod)
}

func (w *world) doPatch(c act.Call) act.Answer {
	a := c.Action
	w.writes++
	live := w.sets[c.Daemon.Name]
	if a.Kind == plan.Adopt && (live == nil || live.UID != c.Daemon.UID || live.DeletionTimestamp != nil) {
		return act.Answer{Outcome: act.Gone, Err: errors.New("the DaemonSet is another")}
	}
	pod := w.pods[a.Pod.Name]
	if pod == nil || pod.UID != a.Pod.UID {
		return act.Answer{Outcome: act.Gone}
	}
	w.note("%s %s of %s on %s", a.Kind, pod.Name, c.Daemon.Name, a.Node)
	w.changePod(pod, func(p *corev1.Pod) {
		switch a.Kind {
		case plan.Adopt:
			p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(c.Daemon, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))}
		case plan.Release:
			p.OwnerReferences = nil
		default:
			p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = a.Hash
		}
	})
	return act.Answer{Outcome: act.Done, Pod: w.pods[pod.Name].DeepCopy()}
}

func (w *world) doStatus(c act.Call) act.Answer {
	w.writes++
	ds := w.sets[c.Daemon.Name]
	if ds == nil || ds.UID != c.Daemon.UID {
		return act.Answer{Outcome: act.Gone}
	}
	ds = ds.DeepCopy()
	ds.Status = report.Merge(ds.Status, *c.Status)
	w.touch(ds)
	w.sets[ds.Name] = ds
	w.statuses = append(w.statuses, w.clock()+" "+statusText(ds))
	w.later(0, func() { // the watch has it too, unless it has told of something newer by then
		if w.sets[ds.Name] == ds {
			w.core.Fleet.ApplyDaemon(ds.DeepCopy(), w.version(ds), false, w.now)
		}
	})
	return act.Answer{Outcome: act.Done, DaemonSet: ds.DeepCopy()}
}

func (w *world) doRevise(c act.Call) act.Answer {
	change := c.Action.Revision
	rev := change.Revision.DeepCopy()
	w.writes++
	if change.Kind == revision.Delete {
		w.note("revision %s %s", change.Kind, rev.Name)
		delete(w.revisions, rev.Name)
		w.rv++
		w.core.Fleet.DeleteRevision(keyOf(rev), rev.UID, fleet.Version(w.rv))
		return act.Answer{Outcome: act.Done}
	}
	if held := w.revisions[rev.Name]; change.Kind == revision.Create && held != nil {
		if revision.Collide(c.Daemon, held, rev) != revision.Collision {
			return act.Answer{Outcome: act.Done, Revision: held.DeepCopy()}
		}
		ds := w.sets[c.Daemon.Name].DeepCopy()
		n := int32(1)
		if ds.Status.CollisionCount != nil {
			n += *ds.Status.CollisionCount
		}
		ds.Status.CollisionCount = &n
		w.note("collisionCount %d", n)
		w.touch(ds)
		w.sets[ds.Name] = ds
		return act.Answer{Outcome: act.Done, DaemonSet: ds.DeepCopy()}
	}
	w.note("revision %s %d", change.Kind, rev.Revision)
	w.touch(rev)
	w.revisions[rev.Name] = rev
	w.core.Fleet.ApplyRevision(rev.DeepCopy(), w.version(rev))
	return act.Answer{Outcome: act.Done, Revision: rev.DeepCopy()}
}
