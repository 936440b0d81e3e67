package simworld

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// kubelets are those of all nodes, with the binder, the node lifecycle and the Pod GC.
type kubelets struct {
	w *World
	// mute are nodes whose kubelet is dead; rejecting fail every Pod at once.
	mute, rejecting map[string]bool
	// skew is how far each kubelet's clock is off.
	skew map[string]time.Duration
	// admitted are the Pods that a kubelet has taken up, ending those that it is ending.
	admitted, ending map[types.UID]bool
	turns            int
}

func newKubelets(w *World) *kubelets {
	return &kubelets{
		w: w, mute: map[string]bool{}, rejecting: map[string]bool{}, skew: map[string]time.Duration{},
		admitted: map[types.UID]bool{}, ending: map[types.UID]bool{},
	}
}

func (k *kubelets) dice() dice {
	k.turns++
	return k.w.dice.of(forKubelet, k.turns)
}

// committed lets the node agents, the binder and the garbage collectors see a change.
func (k *kubelets) committed(c apimodel.Change) {
	switch o := c.New.(type) {
	case *corev1.Pod:
		if c.Type == watch.Deleted {
			k.w.gcSoon(c)
			return
		}
		k.see(o)
		if c.Type == watch.Added {
			k.w.gcSoon(c)
			k.strand(o.Spec.NodeName)
		}
	case *corev1.Node:
		if c.Type == watch.Added {
			k.w.later(0, func() { k.look(o.Name) })
		}
		if c.Type == watch.Deleted {
			k.strand(o.Name)
		}
	default:
		k.w.gcSoon(c)
	}
}

// see is a kubelet's or the binder's first or next look at a Pod.
func (k *kubelets) see(p *corev1.Pod) {
	switch {
	case p.Spec.NodeName == "":
		if p.DeletionTimestamp == nil && !k.admitted[p.UID] {
			k.admitted[p.UID] = true
			k.w.later(k.dice().between(1, 50*time.Millisecond, time.Second), func() { k.bind(p) })
		}
	case p.DeletionTimestamp != nil:
		if !k.ending[p.UID] {
			k.ending[p.UID] = true
			k.w.later(k.dice().between(2, 0, k.w.Setup.Grace), func() { k.end(p.UID, p.Namespace, p.Name) })
		}
	case !k.ending[p.UID] && p.Status.Phase == corev1.PodPending && len(p.Status.Conditions) == 0:
		node := p.Spec.NodeName
		if n, err := k.w.API.GetNode(node); err == nil && !k.mute[node] && n != nil {
			d := k.dice()
			k.w.later(d.between(3, 20*time.Millisecond, k.w.Setup.ReadyAfter), func() { k.admit(p.UID, p.Namespace, p.Name, d) })
		}
	}
}

// look makes a node's kubelet take up what it finds, when it starts or is heard again.
func (k *kubelets) look(node string) {
	for _, p := range k.w.pods() {
		if p.Spec.NodeName != node {
			continue
		}
		delete(k.ending, p.UID)
		k.see(p)
	}
}

// bind is the scheduler's part: pinned Pods go to their node, if it is there.
func (k *kubelets) bind(p *corev1.Pod) {
	live, err := k.w.API.GetPod(p.Namespace, p.Name)
	if err != nil || live.UID != p.UID || live.DeletionTimestamp != nil || live.Spec.NodeName != "" {
		return
	}
	node, pinned := match.Target(&live.Spec)
	if n, err := k.w.API.GetNode(node); !pinned || err != nil || !tolerates(live, n) {
		k.w.later(time.Minute, func() { k.bind(p) })
		return
	}
	// Where whoever was faster has changed the Pod, that is seen to then.
	if err := k.w.API.BindPod("scheduler", live, node); apierrors.IsForbidden(err) {
		k.w.later(time.Second, func() { k.bind(p) })
	}
}

// admit runs a Pod, or rejects it.
func (k *kubelets) admit(uid types.UID, namespace, name string, d dice) {
	p, err := k.w.API.GetPod(namespace, name)
	if err != nil || p.UID != uid || p.DeletionTimestamp != nil || k.mute[p.Spec.NodeName] || p.Status.Phase != corev1.PodPending {
		return
	}
	if _, err := k.w.API.GetNode(p.Spec.NodeName); err != nil {
		return
	}
	image := p.Spec.Containers[0].Image
	switch {
	case k.rejecting[p.Spec.NodeName]:
		k.w.hit(Rejection)
		k.status(p, func(s *corev1.PodStatus) {
			*s = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu", Message: "Node didn't have enough resource: cpu"}
		})
	case strings.HasPrefix(image, "bad"):
		k.status(p, func(s *corev1.PodStatus) { k.ready(s, p.Spec.NodeName, false) })
	case strings.HasPrefix(image, "flaky") && d.chance(1, 3):
		k.status(p, func(s *corev1.PodStatus) { k.ready(s, p.Spec.NodeName, true) })
		k.w.later(d.between(2, time.Second, 5*time.Second), func() { k.setReady(namespace, name, uid, false) })
		k.w.later(d.between(3, 6*time.Second, 9*time.Second), func() { k.setReady(namespace, name, uid, true) })
	default:
		k.status(p, func(s *corev1.PodStatus) { k.ready(s, p.Spec.NodeName, true) })
	}
}

func (k *kubelets) setReady(namespace, name string, uid types.UID, yes bool) {
	p, err := k.w.API.GetPod(namespace, name)
	if err != nil || p.UID != uid || p.Status.Phase != corev1.PodRunning || k.mute[p.Spec.NodeName] || isReady(p) == yes {
		return
	}
	k.status(p, func(s *corev1.PodStatus) { k.ready(s, p.Spec.NodeName, yes) })
}

func (k *kubelets) ready(s *corev1.PodStatus, node string, yes bool) {
	s.Phase = corev1.PodRunning
	value := corev1.ConditionFalse
	if yes {
		value = corev1.ConditionTrue
	}
	at := metav1.NewTime(k.w.now.Add(k.skew[node]).Truncate(time.Second))
	s.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: value, LastTransitionTime: at}}
}

func (k *kubelets) status(p *corev1.Pod, change func(*corev1.PodStatus)) {
	next := p.DeepCopy()
	change(&next.Status)
	k.w.must(k.w.API.UpdatePodStatus("kubelet", next))
}

// end is the end of a Pod's grace period.
func (k *kubelets) end(uid types.UID, namespace, name string) {
	p, err := k.w.API.GetPod(namespace, name)
	if err != nil || p.UID != uid || p.DeletionTimestamp == nil {
		return
	}
	if _, err := k.w.API.GetNode(p.Spec.NodeName); err != nil || k.mute[p.Spec.NodeName] {
		return // nobody is there; look or bury sees to it
	}
	if p.Status.Phase == corev1.PodPending || p.Status.Phase == corev1.PodRunning {
		k.status(p, func(s *corev1.PodStatus) { *s = corev1.PodStatus{Phase: corev1.PodSucceeded} })
	}
	k.force("kubelet", p)
}

// force removes a Pod that has ended, as far as its finalizers let it.
func (k *kubelets) force(actor string, p *corev1.Pod) {
	var now int64
	err := k.w.API.DeletePod(actor, p.Namespace, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.UID}})
	if err != nil {
		k.w.trace("left", actor, p.Name, err.Error(), 0)
	}
}

// strand lets the Pod GC look after a while whether a node is gone.
func (k *kubelets) strand(node string) {
	if _, err := k.w.API.GetNode(node); err != nil && node != "" {
		k.w.later(k.dice().between(1, 40*time.Second, 60*time.Second), func() { k.bury(node) })
	}
}

// bury is the Pod GC: what is bound to a node that is gone for a while goes too.
func (k *kubelets) bury(node string) {
	if _, err := k.w.API.GetNode(node); err == nil {
		return
	}
	for _, p := range k.w.pods() {
		if p.Spec.NodeName == node {
			k.force("podgc", p)
		}
	}
}

// silence makes a kubelet dumb or lets it speak again, with what the node lifecycle makes of that.
func (k *kubelets) silence(node string, on bool) {
	k.mute[node] = on
	if !on {
		k.look(node)
	}
	n, err := k.w.API.GetNode(node)
	if err != nil {
		return
	}
	next := n.DeepCopy()
	next.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	kept := next.Spec.Taints[:0]
	for _, t := range next.Spec.Taints {
		if t.Key != corev1.TaintNodeUnreachable {
			kept = append(kept, t)
		}
	}
	next.Spec.Taints = kept
	if on {
		next.Status.Conditions[0].Status = corev1.ConditionUnknown
		next.Spec.Taints = append(next.Spec.Taints,
			corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute})
	}
	k.w.must(k.w.API.UpdateNode("node-lifecycle", next))
}
