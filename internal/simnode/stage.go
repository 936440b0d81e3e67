package simnode

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Stages of a Pod's life. A stage can be read from the object alone, so that a restarted kubelet knows where it was.
const (
	stageNew      = "new"      // not admitted yet
	stageCreating = "creating" // admitted, its containers are being made
	stageErrPull  = "ErrImagePull"
	stageBackOff  = "ImagePullBackOff"
	stageRunning  = "running"
	stageCrash    = "CrashLoopBackOff" // followed by the number of restarts
	stageDone     = "done"
)

func isTerminal(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

func stageOf(pod *corev1.Pod) string {
	switch {
	case isTerminal(pod):
		return stageDone
	case pod.Status.StartTime == nil:
		return stageNew
	case pod.Status.Phase == corev1.PodPending:
		return pendingStage(pod)
	}
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		if s.State.Waiting != nil && s.State.Waiting.Reason == stageCrash {
			return stageCrash + strconv.Itoa(int(s.RestartCount))
		}
	}
	return stageRunning
}

func pendingStage(pod *corev1.Pod) string {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if w := list[i].State.Waiting; w != nil && (w.Reason == stageErrPull || w.Reason == stageBackOff) {
				return w.Reason
			}
		}
	}
	return stageCreating
}

// stageStart tells when the present stage of a Pod began that this kubelet has not seen before: from the object's
// stamps, which count whole seconds of the kubelet's own clock, or now.
func (k *kubelet) stageStart(pod *corev1.Pod, now time.Time) time.Time {
	start := now
	earlier := func(t time.Time) {
		if t = t.Add(-k.knobs.skew); !t.IsZero() && t.Before(start) {
			start = t
		}
	}
	switch stageOf(pod) {
	case stageNew, stageDone:
	case stageCreating, stageErrPull, stageBackOff:
		earlier(pod.Status.StartTime.Time)
	case stageRunning:
		for i := range pod.Status.ContainerStatuses {
			if r := pod.Status.ContainerStatuses[i].State.Running; r != nil {
				earlier(r.StartedAt.Time)
			}
		}
	default:
		for i := range pod.Status.ContainerStatuses {
			if t := pod.Status.ContainerStatuses[i].LastTerminationState.Terminated; t != nil {
				earlier(t.FinishedAt.Time)
			}
		}
	}
	return start
}
