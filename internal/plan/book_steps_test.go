package plan

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// aPod makes or changes a Pod: of a DaemonSet, of nobody or of another.
func (k *keeping) aPod() {
	name := fmt.Sprint("p", k.draw("pod", 8))
	pod := k.pods[name]
	if pod == nil || k.draw("another", 4) == 0 {
		pod = k.newPod(name)
	} else {
		pod = pod.DeepCopy()
		k.change(pod)
	}
	k.pods[name] = pod
	k.fleet.ApplyPod(fleet.NewPod(pod, k.version(), ""), k.now)
}

func (k *keeping) newPod(name string) *corev1.Pod {
	app := []string{"d", "e"}[k.draw("app", 2)]
	d := k.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: app})
	labels := map[string]string{"app": []string{app, app, app, "neither"}[k.draw("selected", 4)]}
	if list := k.fleet.Revisions(d); len(list) > 0 {
		labels[appsv1.DefaultDaemonSetUniqueLabelKey] = list[k.draw("revision", len(list))].Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	}
	labels[fleet.TemplateGenerationLabel] = fmt.Sprint(k.draw("template", 3))
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(fmt.Sprint(name, "-", k.rv)), Labels: labels, CreationTimestamp: metav1.Time{Time: k.now}}}
	pod.Spec.NodeName = fmt.Sprint("n", k.draw("node", 4))
	pod.Spec.Containers = []corev1.Container{{Name: "c"}}
	pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(fmt.Sprint(k.draw("request", 3)))}
	if k.draw("port", 4) == 0 {
		pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 80, ContainerPort: 80}}
	}
	if k.draw("orphan", 4) > 0 {
		controller := true
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: fleet.DaemonSetKind, Name: app, UID: d.UID, Controller: &controller}}
	}
	pod.Status.Phase = corev1.PodRunning
	k.change(pod)
	return pod
}

// change moves a Pod on in its life.
func (k *keeping) change(pod *corev1.Pod) {
	stamp := metav1.Time{Time: k.now}
	switch k.draw("change", 6) {
	case 0, 1, 2:
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: stamp}}
	case 3:
		pod.Status.Conditions = nil
	case 4:
		pod.Status.Phase = []corev1.PodPhase{corev1.PodFailed, corev1.PodSucceeded}[k.draw("phase", 2)]
	case 5:
		pod.DeletionTimestamp = &stamp
	}
}

func (k *keeping) noPod() {
	name := fmt.Sprint("p", k.draw("pod", 8))
	if pod := k.pods[name]; pod != nil {
		delete(k.pods, name)
		k.fleet.DeletePod(fleet.NewPod(pod, k.version(), ""))
	}
}

// aCall begins or ends a call, as the engine notes it.
func (k *keeping) aCall() {
	d := k.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: "d"})
	node := fmt.Sprint("n", k.draw("node", 4))
	switch k.draw("call", 4) {
	case 0:
		d.CreateSent(node)
	case 1:
		d.CreateAnswered(node, []string{"", "d-unsure", "p0"}[k.draw("unsure", 3)], k.now.Add(time.Minute), k.now)
	case 2:
		if pod := k.pods[fmt.Sprint("p", k.draw("pod", 8))]; pod != nil {
			k.fleet.MarkDeleting(&fleet.Pod{Name: pod.Name, UID: pod.UID, Shape: &fleet.Shape{Namespace: "default"}}, k.draw("on", 2) == 0)
		}
	case 3:
		if b := k.books[d.UID]; b != nil && b.Hash() != "" {
			k.fleet.Creating(Pending(d, b.Hash(), node, fmt.Sprint("d-pending-", node), k.place), k.now)
		}
	}
	k.fleet.TouchSlot(d, node)
}

// aRefusal holds a slot, or all that a DaemonSet has beside its slots, back for a while.
func (k *keeping) aRefusal() {
	d := k.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: "d"})
	wait := fleet.Backoff{Until: k.now.Add(10 * time.Second), Delay: 10 * time.Second, Epoch: d.Object.Generation}
	node := fmt.Sprint("n", k.draw("node", 4))
	s := d.Slot(node)
	switch c := k.draw("refusal", 4); {
	case c == 0:
		d.Stalled = wait
	case s == nil:
	case c == 1:
		s.Note(func(t *fleet.Trouble) { t.Failures = wait })
	case c == 2:
		taken := types.UID(fmt.Sprint("foreign", k.draw("foreign", 2)))
		s.Note(func(t *fleet.Trouble) { t.Taken = taken })
	default:
		s.Note(func(t *fleet.Trouble) { t.Refusals, t.Refused = wait, "no" })
	}
	k.fleet.TouchSlot(d, node)
}
