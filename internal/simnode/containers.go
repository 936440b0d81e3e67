package simnode

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// previous is the status that a container has now; the zero value when it has none.
func previous(list []corev1.ContainerStatus, c *corev1.Container) corev1.ContainerStatus {
	for i := range list {
		if list[i].Name == c.Name {
			return *list[i].DeepCopy()
		}
	}
	return corev1.ContainerStatus{Name: c.Name}
}

// each rewrites the statuses of init containers and containers, in the order of the specification.
func (w *writer) each(init, main func(c *corev1.Container, s *corev1.ContainerStatus)) {
	rewrite := func(spec []corev1.Container, old []corev1.ContainerStatus, f func(*corev1.Container, *corev1.ContainerStatus)) []corev1.ContainerStatus {
		if len(spec) == 0 {
			return nil
		}
		list := make([]corev1.ContainerStatus, len(spec))
		for i := range spec {
			list[i] = previous(old, &spec[i])
			list[i].Image = spec[i].Image
			f(&spec[i], &list[i])
		}
		return list
	}
	w.status.InitContainerStatuses = rewrite(w.pod.Spec.InitContainers, w.status.InitContainerStatuses, init)
	w.status.ContainerStatuses = rewrite(w.pod.Spec.Containers, w.status.ContainerStatuses, main)
}

// waiting is a container that has not started, for the reason given.
func waiting(s *corev1.ContainerStatus, reason, message string) {
	s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	s.Ready, s.Started = false, ptr.To(false)
}

// run is a container at work; one that is at work already keeps its start.
func (w *writer) run(s *corev1.ContainerStatus, ready bool) {
	if s.State.Running == nil {
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: w.stamp}}
		s.ContainerID = containerID(w.pod, s.Name, s.RestartCount)
		s.ImageID = imageID(s.Image)
	}
	s.Ready, s.Started = ready, ptr.To(true)
}

// exit is a container that has ended; one that has ended already keeps its end.
func (w *writer) exit(s *corev1.ContainerStatus, code int32, reason string) {
	s.Ready, s.Started = false, ptr.To(false)
	if s.State.Terminated != nil {
		return
	}
	end := &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, FinishedAt: w.stamp, StartedAt: w.stamp}
	if r := s.State.Running; r != nil {
		end.StartedAt = r.StartedAt
	}
	if s.ContainerID == "" && code == 0 {
		s.ContainerID, s.ImageID = containerID(w.pod, s.Name, s.RestartCount), imageID(s.Image)
	}
	end.ContainerID = s.ContainerID
	s.State = corev1.ContainerState{Terminated: end}
}

// finishedInit is an init container of a Pod that has started: done, or a sidecar at work.
func (w *writer) finishedInit(c *corev1.Container, s *corev1.ContainerStatus) {
	if isSidecar(c) {
		w.run(s, true)
		return
	}
	w.exit(s, 0, "Completed")
	s.Ready = true // an init container that has done its work counts as ready
}
