package plan

import "github.com/everynode/everynode/internal/fleet"

// counted is the Pod that stands for a slot in the status: the first in order that has not ended on its way out (U211,
// U215, D6). Pods whose creation has not been answered do not exist yet.
func counted(s *fleet.Slot) *fleet.Pod {
	for _, pod := range s.Pods {
		if !pod.Creating && (!pod.Terminal() || !pod.Terminating) {
			return pod
		}
	}
	return nil
}

// count gives what a slot adds to the status numbers, which are over nodes that exist (U210–U219).
func (p *planner) count(s *fleet.Slot) {
	if s.Node == nil {
		return
	}
	pod := counted(s)
	if !s.Verdict.ShouldRun() {
		p.set(misscheduled, pod != nil)
		return
	}
	p.set(desired, true)
	if pod == nil {
		return
	}
	p.set(current, true)
	p.set(ready, pod.Ready)
	p.set(available, pod.Ready && p.available(pod))
	p.set(updated, p.hash != "" && p.updated(pod))
}
