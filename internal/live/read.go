package live

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// Read gives what a Fleet knows of a DaemonSet that other readers of the API cannot.
func Read(d *fleet.Daemon, placement string, now time.Time) State {
	s := State{
		Version: Version, Taken: now, Placement: placement,
		Namespace: d.Key.Namespace, Name: d.Key.Name, UID: d.UID, Generation: d.Object.Generation, Approved: d.Approved,
	}
	if d.Stalled.Waits(now, d.Object.Generation) {
		s.Held = backoff(d.Stalled, d.StalledWhy)
	}
	for _, slot := range d.Slots() {
		if n, ok := readSlot(d, slot, now); ok {
			s.Nodes = append(s.Nodes, n)
		}
	}
	return s
}

func backoff(b fleet.Backoff, why fleet.Reason) *Backoff {
	return &Backoff{Until: b.Until, Seconds: b.Delay.Seconds(), Epoch: b.Epoch, Code: why.Code, Text: why.Detail}
}

// readSlot gives a node's part; ok is false if the API shows all that is known.
func readSlot(d *fleet.Daemon, slot *fleet.Slot, now time.Time) (n Node, ok bool) {
	n.Name = slot.NodeName
	generation := d.Object.Generation
	trouble := slot.Trouble()
	if trouble.Failures.Waits(now, generation) {
		n.Failures, ok = backoff(trouble.Failures, fleet.Reason{}), true
	}
	if trouble.Refusals.Waits(now, generation) {
		n.Refused, ok = backoff(trouble.Refusals, fleet.Reason{Code: fleet.CallBackoff, Detail: trouble.Refused}), true
	}
	if trouble.Taken != "" {
		n.Taken, ok = trouble.Taken, true
	}
	if !trouble.GoneSince.IsZero() {
		n.GoneSince, ok = stamp(trouble.GoneSince), true
	}
	if c := d.Creates(slot.NodeName); c.UnderWay > 0 || (c.Unsure != "" && now.Before(c.Till)) {
		n.Creates, n.Unsure, n.Till, ok = c.UnderWay, c.Unsure, stamp(c.Till), true
	}
	for _, pod := range slot.Pods {
		if p, tell := readPod(pod, d, now); tell {
			n.Pods, ok = append(n.Pods, p), true
		}
	}
	return n, ok
}

// readPod tells of a Pod with a call in flight, and of one that turned Ready a moment ago by the controller's own clock.
func readPod(pod *fleet.Pod, d *fleet.Daemon, now time.Time) (p Pod, ok bool) {
	p = Pod{Name: pod.Name}
	switch {
	case pod.Creating:
		p.Call = Creating
	case pod.Forced:
		p.Call = Forcing
	case pod.Deleting && !pod.Terminating:
		p.Call = Deleting
	case pod.Patching:
		p.Call = Patching
	}
	minReady := time.Duration(d.Object.Spec.MinReadySeconds) * time.Second
	if at, ready := pod.AvailableAt(minReady); ready && at.After(now) {
		p.ReadySince = stamp(pod.ReadySince)
	}
	return p, p.Call != "" || p.ReadySince != nil
}

func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
