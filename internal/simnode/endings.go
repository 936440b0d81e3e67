package simnode

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A kubelet's backoff between restarts of a container that crashes: 10 s, doubled up to five minutes.
const (
	firstCrashBackoff = 10 * time.Second
	maxCrashBackoff   = 5 * time.Minute
)

func crashBackoff(restarts int32) time.Duration {
	if restarts > 5 {
		return maxCrashBackoff
	}
	return min(firstCrashBackoff<<restarts, maxCrashBackoff)
}

// crashes tells whether the Pod waits in a crash loop, and how often it was restarted.
func crashes(pod *corev1.Pod) (restarts int32, crashing bool) {
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		if s.State.Waiting != nil && s.State.Waiting.Reason == stageCrash {
			return s.RestartCount, true
		}
	}
	return 0, false
}

// crash is the status after containers have started and exited once more. A Pod that is never restarted has failed.
func (w *writer) crash(restarts int32) step {
	if w.pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
		return w.finish(corev1.PodFailed, 1, refusal{})
	}
	w.status.Phase = corev1.PodRunning
	w.each(w.finishedInit, func(_ *corev1.Container, s *corev1.ContainerStatus) {
		s.RestartCount, s.State = restarts, corev1.ContainerState{}
		s.ContainerID, s.ImageID = containerID(w.pod, s.Name, restarts), imageID(s.Image)
		w.exit(s, 1, "Error")
		s.LastTerminationState, s.State = s.State, corev1.ContainerState{}
		waiting(s, stageCrash, fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
			crashBackoff(restarts), s.Name, w.pod.Name, w.pod.Namespace, w.pod.UID))
	})
	w.readiness(true, true, false, "")
	s := step{status: w.status}
	if restarts == 0 {
		s.notes = []note{{w.pod, "BackOff", "Back-off restarting failed containers " + names(w.pod.Spec.Containers)}}
	}
	return s
}

// finish is the status of a Pod whose containers have all ended and will not start again.
func (w *writer) finish(phase corev1.PodPhase, code int32, why refusal) step {
	w.status.Phase, w.status.Reason, w.status.Message = phase, why.reason, why.message
	reason, ready := "Error", "PodFailed"
	if phase == corev1.PodSucceeded {
		reason, ready = "Completed", "PodCompleted"
	}
	w.each(w.endInit, func(_ *corev1.Container, s *corev1.ContainerStatus) { w.exit(s, code, reason) })
	w.readiness(false, true, false, ready)
	return step{status: w.status}
}

// settle looks after a Pod that has ended. If somebody else has set its phase, the containers end now; phase and reason
// stay as they are. If it is deleted too, its object goes.
func (k *kubelet) settle(m *member, now time.Time) step {
	for i := range m.pod.Status.ContainerStatuses {
		if m.pod.Status.ContainerStatuses[i].State.Running == nil {
			continue
		}
		old, code := m.pod.Status, int32(0)
		if old.Phase == corev1.PodFailed {
			code = 137
		}
		return newWriter(m.pod, k.stamp(now)).finish(old.Phase, code, refusal{old.Reason, old.Message})
	}
	return step{end: m.pod.DeletionTimestamp != nil}
}

// endInit is an init container of a Pod that ends: a sidecar ends too, any other ended long ago.
func (w *writer) endInit(c *corev1.Container, s *corev1.ContainerStatus) {
	w.exit(s, 0, "Completed")
	s.Ready = !isSidecar(c)
}

// terminate ends a deleted Pod in two steps: first its status becomes terminal, then the object goes.
func (k *kubelet) terminate(m *member, now time.Time) step {
	if m.deleted.IsZero() {
		m.deleted = now
	}
	wait := k.timing.stop
	if grace := m.pod.DeletionGracePeriodSeconds; grace != nil {
		wait = min(wait, time.Duration(*grace)*time.Second)
	}
	if m.faults.stuckFor != nil {
		wait = *m.faults.stuckFor
	}
	switch at := m.deleted.Add(wait); {
	case m.faults.stuck:
		return step{}
	case now.Before(at):
		return step{again: at}
	}
	w := newWriter(m.pod, k.stamp(now))
	if m.pod.Status.StartTime == nil {
		w.status.StartTime = &w.stamp
	}
	_, crashing := crashes(m.pod)
	if m.pod.Status.Phase == corev1.PodRunning && !crashing {
		// Daemons leave with exit code 0 on SIGTERM, and a kubelet since 1.27 then reports Succeeded.
		return w.finish(corev1.PodSucceeded, 0, refusal{})
	}
	return w.finish(corev1.PodFailed, 137, refusal{})
}

// preempted ends a Pod that has to make room for a critical one.
func (k *kubelet) preempted(m *member, now time.Time) step {
	const reason, message = "Preempting", "Preempted in order to admit critical pod"
	w := newWriter(m.pod, k.stamp(now))
	s := w.finish(corev1.PodFailed, 137, refusal{reason, message})
	w.condition(corev1.DisruptionTarget, true, corev1.PodReasonTerminationByKubelet,
		"Pod was preempted by Kubelet to accommodate a critical pod.")
	s.notes = []note{{m.pod, reason, message}}
	return s
}

func unpullable(m *member) bool {
	for _, list := range [][]corev1.Container{m.pod.Spec.InitContainers, m.pod.Spec.Containers} {
		for i := range list {
			if pullFails(m.faults, &list[i]) {
				return true
			}
		}
	}
	return false
}

// pull is the status of a Pod some of whose images cannot be pulled: it stays Pending.
func (k *kubelet) pull(m *member, now time.Time) step {
	var s step
	reason := stageErrPull
	switch stageOf(m.pod) {
	case stageErrPull:
		if at := m.since.Add(pullRetry); now.Before(at) {
			return step{again: at}
		}
		reason = stageBackOff
	case stageBackOff:
		reason = stageBackOff
	default:
		s.again = now.Add(pullRetry)
	}
	w := newWriter(m.pod, k.stamp(now))
	w.addresses(k.host.ip, k.podIP(m))
	failing := func(c *corev1.Container, st *corev1.ContainerStatus) {
		cause := fmt.Sprintf("failed to pull image %q: not found", c.Image)
		if reason == stageBackOff {
			cause = fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", c.Image, cause)
		}
		waiting(st, reason, cause)
		if stageOf(m.pod) == stageCreating {
			s.notes = append(s.notes, note{m.pod, "Failed", cause})
		}
	}
	stopped := false // an init container that cannot run holds up all that follow
	w.each(func(c *corev1.Container, st *corev1.ContainerStatus) {
		switch {
		case stopped:
			waiting(st, "PodInitializing", "")
		case pullFails(m.faults, c):
			stopped = true
			failing(c, st)
		default:
			w.finishedInit(c, st)
		}
	}, func(c *corev1.Container, st *corev1.ContainerStatus) {
		switch {
		case stopped:
			waiting(st, "PodInitializing", "")
		case pullFails(m.faults, c):
			failing(c, st)
		default:
			w.run(st, true)
		}
	})
	w.readiness(true, !stopped, false, "")
	s.status = w.status
	return s
}
