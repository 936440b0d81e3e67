package simnode

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writer makes the next status of one Pod from its present one. Conditions that others put there stay.
type writer struct {
	pod    *corev1.Pod
	status *corev1.PodStatus
	stamp  metav1.Time
}

func newWriter(pod *corev1.Pod, stamp metav1.Time) *writer {
	status := pod.Status.DeepCopy()
	status.ObservedGeneration = pod.Generation
	return &writer{pod: pod, status: status, stamp: stamp}
}

// condition sets a condition; its transition time moves only when its status does.
func (w *writer) condition(kind corev1.PodConditionType, on bool, reason, message string) {
	next := corev1.PodCondition{
		Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message,
		LastTransitionTime: w.stamp, ObservedGeneration: w.pod.Generation,
	}
	if on {
		next.Status = corev1.ConditionTrue
	}
	for i := range w.status.Conditions {
		if old := &w.status.Conditions[i]; old.Type == kind {
			if old.Status == next.Status {
				next.LastTransitionTime = old.LastTransitionTime
			}
			next.LastProbeTime = old.LastProbeTime
			*old = next
			return
		}
	}
	w.status.Conditions = append(w.status.Conditions, next)
}

// readiness sets the conditions that follow from the containers. why is the reason while they are not ready.
func (w *writer) readiness(started, initialized, ready bool, why string) {
	w.condition(corev1.PodScheduled, true, "", "")
	w.condition(corev1.PodReadyToStartContainers, started, "", "")
	if initialized {
		w.condition(corev1.PodInitialized, true, "", "")
	} else {
		w.condition(corev1.PodInitialized, false, "ContainersNotInitialized", "containers with incomplete status: "+names(w.pod.Spec.InitContainers))
	}
	if ready {
		w.condition(corev1.ContainersReady, true, "", "")
		if gate := w.closedGate(); gate != "" {
			w.condition(corev1.PodReady, false, "ReadinessGatesNotReady", gate)
			return
		}
		w.condition(corev1.PodReady, true, "", "")
		return
	}
	message := ""
	if why == "" {
		why, message = "ContainersNotReady", "containers with unready status: "+names(w.pod.Spec.Containers)
	}
	w.condition(corev1.ContainersReady, false, why, message)
	w.condition(corev1.PodReady, false, why, message)
}

// closedGate says which readiness gate keeps the Pod from being Ready; "" when all are open.
func (w *writer) closedGate() string {
	for _, gate := range w.pod.Spec.ReadinessGates {
		found := false
		for _, c := range w.status.Conditions {
			if c.Type != gate.ConditionType {
				continue
			}
			if found = true; c.Status != corev1.ConditionTrue {
				return fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", gate.ConditionType, c.Status)
			}
		}
		if !found {
			return fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType)
		}
	}
	return ""
}

func names(containers []corev1.Container) string {
	list := make([]string, len(containers))
	for i := range containers {
		list[i] = containers[i].Name
	}
	return fmt.Sprint(list)
}

// addresses sets the addresses of the host, and those of the Pod once it has a sandbox.
func (w *writer) addresses(hostIP, podIP string) {
	if hostIP != "" {
		w.status.HostIP = hostIP
		w.status.HostIPs = []corev1.HostIP{{IP: hostIP}}
	}
	if podIP != "" && w.status.PodIP == "" {
		w.status.PodIP = podIP
		w.status.PodIPs = []corev1.PodIP{{IP: podIP}}
	}
}
