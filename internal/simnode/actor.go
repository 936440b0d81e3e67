package simnode

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// actor carries out what one kubelet decides.
type actor struct {
	hub     *hub
	kubelet *kubelet
	mail    *mail // guarded by hub.mu
}

func newActor(h *hub, node string) *actor {
	return &actor{hub: h, kubelet: &kubelet{name: node, pods: map[types.UID]*member{}, timing: h.opts.timing()}}
}

// run tells the kubelet the news, carries out what is due and returns when to run again.
func (a *actor) run(ctx context.Context) (next time.Time, again bool) {
	k := a.kubelet
	a.read(time.Now())
	if k.atWork() {
		a.hub.leases.keep(k.node, k.knobs.skew)
	} else {
		a.hub.leases.drop(k.name)
	}
	if k.atWork() {
		a.beat(ctx, time.Now())
		for _, m := range k.due(time.Now()) {
			if ctx.Err() != nil {
				return next, false
			}
			a.look(ctx, m)
		}
	}
	return k.next()
}

// read empties the mail into the kubelet.
func (a *actor) read(now time.Time) {
	m := a.hub.take(a)
	if m == nil {
		return
	}
	if m.hasNode {
		a.setNode(m.node, now)
	}
	for uid, pod := range m.pods {
		if pod == nil {
			a.kubelet.forget(uid)
		} else {
			a.kubelet.see(pod, now)
		}
	}
}

func (a *actor) setNode(node *corev1.Node, now time.Time) {
	k := a.kubelet
	if node == nil {
		a.hub.places.leave(k.name, k.host)
	} else if simulated, _ := Simulated(node); simulated {
		k.host = a.hub.places.place(node)
	}
	for _, p := range k.setNode(node, now) {
		a.hub.recorder.Event(nodeRef(node), corev1.EventTypeWarning, "InvalidAnnotation", p.text)
	}
}

// nodeRef is how a kubelet names its Node in events: by name, since `kubectl describe node` looks for that.
func nodeRef(node *corev1.Node) *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: "Node", Name: node.Name, UID: types.UID(node.Name)}
}

// look lets the kubelet decide about a Pod and carries it out.
func (a *actor) look(ctx context.Context, m *member) {
	now := time.Now()
	s := a.kubelet.step(m, now)
	if s.confirm {
		if err := a.refresh(ctx, now); err != nil {
			a.retry(m, err)
			return
		}
		s = a.kubelet.step(m, now)
	}
	m.due = s.again
	switch {
	case s.status != nil:
		if err := a.write(ctx, m, s.status); err != nil {
			a.retry(m, err)
			return
		}
	case s.end:
		if err := a.end(ctx, m.pod); err != nil {
			a.retry(m, err)
			return
		}
		m.gone = true
	}
	m.failures, m.problems = 0, nil
	for _, n := range s.notes {
		a.hub.recorder.Event(n.pod, corev1.EventTypeWarning, n.reason, n.message)
	}
}

// refresh reads the Node itself, because the watch on Nodes may be behind.
func (a *actor) refresh(ctx context.Context, now time.Time) error {
	node, err := a.hub.client.CoreV1().Nodes().Get(ctx, a.kubelet.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	node.ManagedFields = nil
	a.setNode(node, now)
	return nil
}

// write updates the Pod's status. The version must be the one that was decided upon: a phase that somebody else has
// set in the meantime is never overwritten.
func (a *actor) write(ctx context.Context, m *member, status *corev1.PodStatus) error {
	pod := *m.pod
	pod.Status = *status
	written, err := a.hub.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, &pod, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	written.ManagedFields = nil
	a.kubelet.see(written, time.Now())
	return nil
}

// end deletes the object of a Pod whose containers have ended.
func (a *actor) end(ctx context.Context, pod *corev1.Pod) error {
	err := a.hub.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0),
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // gone already, perhaps with a successor under its name
	}
	return err
}

// retry sees to it that a Pod is looked at again after a write that failed.
func (a *actor) retry(m *member, err error) {
	switch m.failures++; {
	case apierrors.IsNotFound(err):
		m.due = time.Time{} // the watch will tell
		return
	case apierrors.IsConflict(err):
		// A newer version is under way and will wake us; the time is for the case that it was seen already.
		m.due = time.Now().Add(200 * time.Millisecond)
		return
	case apierrors.IsInvalid(err):
		m.due = time.Time{} // it would fail again: wait until something changes
	default:
		m.due = time.Now().Add(min(100*time.Millisecond<<min(m.failures, 7), 10*time.Second))
	}
	a.hub.opts.Log.Error(err, "writing a Pod", "node", a.kubelet.name, "namespace", m.pod.Namespace, "pod", m.pod.Name)
}
