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

// count gives the status numbers over nodes that exist (U210–U219).
func (p *planner) count() Counts {
	var c Counts
	for _, s := range p.d.Slots() {
		if s.Node == nil {
			continue
		}
		pod := counted(s)
		if !s.Verdict.ShouldRun() {
			if pod != nil {
				c.Misscheduled++
			}
			continue
		}
		c.Desired++
		if pod == nil {
			continue
		}
		c.Current++
		if pod.Ready {
			c.Ready++
			if p.available(pod) {
				c.Available++
			}
		}
		if p.Hash != "" && p.updated(pod) {
			c.Updated++
		}
	}
	return c
}

// maturity looks again when the next Pod will have been Ready for minReadySeconds.
func (p *planner) maturity() {
	for _, s := range p.d.Slots() {
		for _, pod := range s.Pods {
			if at, ok := pod.AvailableAt(p.minReady); ok && !p.going(pod) {
				p.lookAgain(at)
			}
		}
	}
}
