package simnode

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// step is what a kubelet does about one Pod now.
type step struct {
	status  *corev1.PodStatus // to be written; nil: nothing
	end     bool              // the object is to be deleted for good
	confirm bool              // read the Node afresh and ask again
	notes   []note            // events to record, once the status is written
	again   time.Time         // when to look again; zero: when something happens
}

// note is a Warning event on a Pod.
type note struct {
	pod     *corev1.Pod
	reason  string
	message string
}

// pullRetry is how long a failed pull is shown as an error before it is shown as a backoff.
const pullRetry = 2 * time.Second

// step decides about one Pod. The Pod's status is never changed in place.
func (k *kubelet) step(m *member, now time.Time) step {
	var s step
	switch {
	case m.gone:
	case isTerminal(m.pod):
		s = k.settle(m, now)
	case m.pod.DeletionTimestamp != nil:
		s = k.terminate(m, now)
	case m.preempt:
		s = k.preempted(m, now)
	case m.pod.Status.StartTime == nil:
		s = k.admission(m, now)
	case m.pod.Status.Phase == corev1.PodPending:
		s = k.start(m, now)
	default:
		s = k.keep(m, now)
	}
	for _, p := range m.problems {
		s.notes = append(s.notes, note{m.pod, "InvalidAnnotation", p.text})
	}
	if s.status != nil && equality.Semantic.DeepEqual(*s.status, m.pod.Status) {
		s.status = nil
	}
	return s
}

// admission decides whether the Pod may run here; a Pod is asked about once in its life.
func (k *kubelet) admission(m *member, now time.Time) step {
	if why := k.knobs.reject; why != nil {
		message := why.message
		if message == "" {
			message = "the annotation " + RejectAnnotation + " of the node says so"
		}
		return k.refuse(m, now, refusal{why.reason, message})
	}
	running := k.running(m)
	v := admit(k.node, m.pod, running)
	why := v.first()
	if why != nil && !m.checked {
		m.checked = true // the watch on Nodes may be behind the one on Pods
		return step{confirm: true}
	}
	if why != nil && isCritical(m.pod) {
		why = k.makeRoom(m, v, running, now)
	}
	if why != nil {
		return k.refuse(m, now, *why)
	}
	w := newWriter(m.pod, k.stamp(now))
	w.status.Phase, w.status.StartTime = corev1.PodPending, &w.stamp
	w.addresses(k.host.ip, "")
	reason := "ContainerCreating"
	if len(m.pod.Spec.InitContainers) > 0 {
		reason = "PodInitializing"
	}
	creating := func(_ *corev1.Container, s *corev1.ContainerStatus) { waiting(s, reason, "") }
	w.each(creating, creating)
	w.readiness(false, len(m.pod.Spec.InitContainers) == 0, false, "")
	return step{status: w.status}
}

// makeRoom ends other Pods for a critical one; it returns why the Pod is refused nevertheless.
func (k *kubelet) makeRoom(m *member, v verdict, running []*corev1.Pod, now time.Time) *refusal {
	if len(v.others) > 0 {
		return &v.others[0]
	}
	chosen, ok := victims(m.pod, v.shortages, running)
	if !ok {
		var lacking []string
		for _, s := range v.shortages {
			lacking = append(lacking, fmt.Sprintf("(res: %s, q: %d), ", s.resource, s.requested-(s.capacity-s.used)))
		}
		return &refusal{"UnexpectedAdmissionError", "Unexpected error while attempting to recover from admission failure: " +
			"preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [" +
			strings.Join(lacking, "") + "]"}
	}
	for _, pod := range chosen {
		victim := k.pods[pod.UID]
		victim.preempt, victim.due = true, now
	}
	return nil
}

func (k *kubelet) refuse(m *member, now time.Time, why refusal) step {
	w := newWriter(m.pod, k.stamp(now))
	w.status.Phase, w.status.StartTime = corev1.PodFailed, &w.stamp
	w.status.Reason, w.status.Message = why.reason, "Pod was rejected: "+why.message
	return step{status: w.status, notes: []note{{m.pod, why.reason, why.message}}}
}

// start brings an admitted Pod to life, or shows why it cannot.
func (k *kubelet) start(m *member, now time.Time) step {
	if ready := m.since.Add(jitter(k.timing.start, string(m.pod.UID))); stageOf(m.pod) == stageCreating && now.Before(ready) {
		return step{again: ready}
	}
	if unpullable(m) {
		return k.pull(m, now)
	}
	w := newWriter(m.pod, k.stamp(now))
	w.addresses(k.host.ip, k.podIP(m))
	if f := m.faults; f.fail != nil && f.failAfter == 0 {
		return w.finish(corev1.PodFailed, 1, *f.fail)
	}
	if m.faults.crashLoop {
		return w.crash(0)
	}
	return k.live(m, w, now)
}

// live is the status of a Pod whose containers are at work from now on.
func (k *kubelet) live(m *member, w *writer, now time.Time) step {
	ready := !m.faults.neverReady
	var s step
	if after := m.faults.readyAfter; after != nil && ready {
		since := m.since
		if stageOf(m.pod) != stageRunning {
			since = now
		}
		if at := since.Add(*after); now.Before(at) {
			ready, s.again = false, at
		}
	}
	w.status.Phase = corev1.PodRunning
	w.each(w.finishedInit, func(_ *corev1.Container, s *corev1.ContainerStatus) { w.run(s, ready) })
	w.readiness(true, true, ready, "")
	s.status = w.status
	return s
}

// keep looks after a Pod that runs: what is due by the clock, and what others have changed in its status.
func (k *kubelet) keep(m *member, now time.Time) step {
	w := newWriter(m.pod, k.stamp(now))
	w.addresses(k.host.ip, k.podIP(m))
	if restarts, crashing := crashes(m.pod); crashing {
		if at := m.since.Add(crashBackoff(restarts)); m.faults.crashLoop && now.Before(at) {
			return step{again: at}
		}
		if m.faults.crashLoop {
			return w.crash(restarts + 1)
		}
	}
	var again time.Time
	if f := m.faults; f.fail != nil {
		at := m.since.Add(f.failAfter)
		if !now.Before(at) {
			return w.finish(corev1.PodFailed, 1, *f.fail)
		}
		again = at
	}
	if f := m.faults; f.succeedAfter != nil {
		at := m.since.Add(*f.succeedAfter)
		if !now.Before(at) {
			return w.finish(corev1.PodSucceeded, 0, refusal{})
		}
		again = sooner(again, at)
	}
	s := k.live(m, w, now)
	s.again = sooner(s.again, again)
	return s
}

// sooner is the earlier of two moments, zero being never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
