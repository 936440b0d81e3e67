package snapshot

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Container is what one container does.
type Container struct {
	Name string `json:"name"`
	Init bool   `json:"init,omitempty"`
	// State is waiting, running or terminated; Reason, Message and ExitCode go with it.
	State    string `json:"state"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message,omitempty"`
	ExitCode int32  `json:"exitCode,omitempty"`
	// Since is when a running one started or a terminated one ended.
	Since *time.Time `json:"since,omitempty"`
	// Ready is the kubelet's word; Started tells that the startup probe has succeeded.
	Ready    bool  `json:"ready,omitempty"`
	Started  bool  `json:"started,omitempty"`
	Restarts int32 `json:"restarts,omitempty"`
	// Last tells how it ended the last time.
	Last *Ending `json:"last,omitempty"`
}

// Ending is how a container ended.
type Ending struct {
	Reason   string    `json:"reason,omitempty"`
	Message  string    `json:"message,omitempty"`
	ExitCode int32     `json:"exitCode"`
	At       time.Time `json:"at"`
}

// The values of Container.State.
const (
	Waiting    = "waiting"
	Running    = "running"
	Terminated = "terminated"
)

// containersOf leaves out containers that are as they should be, as nearly all are.
func containersOf(o *corev1.Pod) []Container {
	var out []Container
	add := func(init bool, statuses []corev1.ContainerStatus) {
		for i := range statuses {
			c := containerOf(&statuses[i], init)
			done := init && c.State == Terminated && c.ExitCode == 0
			if done || (c.State == Running && c.Ready && c.Restarts == 0) {
				continue
			}
			out = append(out, c)
		}
	}
	add(true, o.Status.InitContainerStatuses)
	add(false, o.Status.ContainerStatuses)
	return out
}

func containerOf(s *corev1.ContainerStatus, init bool) Container {
	c := Container{Name: s.Name, Init: init, State: Waiting, Ready: s.Ready, Restarts: s.RestartCount, Started: s.Started != nil && *s.Started}
	switch {
	case s.State.Running != nil:
		c.State, c.Since = Running, &s.State.Running.StartedAt.Time
	case s.State.Terminated != nil:
		t := s.State.Terminated
		c.State, c.Reason, c.Message, c.ExitCode, c.Since = Terminated, t.Reason, t.Message, t.ExitCode, &t.FinishedAt.Time
	case s.State.Waiting != nil:
		c.Reason, c.Message = s.State.Waiting.Reason, s.State.Waiting.Message
	}
	if t := s.LastTerminationState.Terminated; t != nil {
		c.Last = &Ending{Reason: t.Reason, Message: t.Message, ExitCode: t.ExitCode, At: t.FinishedAt.Time}
	}
	return c
}
