package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// Quarantine is how long Pods bound to a vanished node are kept: it may come back under its name (D8, as PodGC).
const Quarantine = 40 * time.Second

// place brings one slot to the Pods that it should have, whatever the rollout (U073–U085).
func (p *planner) place(s *fleet.Slot) {
	switch {
	case s.Node == nil:
		p.vanished(s)
	case !s.Verdict.MayStay():
		for _, pod := range s.Pods {
			if !pod.Leaving() && !pod.Creating {
				p.remove(s, Action{Pod: pod, Reason: s.Verdict.Reason})
			}
		}
	default:
		p.settle(s)
	}
}

// vanished removes the Pods of a node that no longer exists: those never bound at once (U085), the others after a
// quarantine (D8), so that a node's departure reclaims its Pod with no other controller's help.
func (p *planner) vanished(s *fleet.Slot) {
	end := s.Trouble().GoneSince.Add(Quarantine)
	for _, pod := range s.Pods {
		switch {
		case pod.Forced || pod.Creating || (pod.Deleting && !pod.Terminating):
		case !pod.Bound && !pod.Terminating:
			p.remove(s, Action{Pod: pod, Reason: fleet.Reason{Code: fleet.NodeVanished, Detail: "never bound"}})
		case !pod.Bound:
		case p.Now.Before(end):
			p.wait(fleet.NodeQuarantine, "the node may come back", end)
		default:
			p.remove(s, Action{Pod: pod, NodeGone: true, Reason: fleet.Reason{Code: fleet.NodeVanished, Detail: "gone for " + Quarantine.String()}})
		}
	}
}

// settle removes ended and surplus Pods from a slot where Pods may stay, and makes the missing one.
func (p *planner) settle(s *fleet.Slot) {
	held := p.removeEnded(s)
	live := p.live(s)
	if p.surging {
		p.pairUp(s, live)
	} else {
		p.dropSurplus(s, live)
	}
	if len(live) > 0 || !s.Verdict.ShouldRun() {
		return
	}
	switch {
	case held:
	case p.claimed:
	case p.surging:
		if !p.unanswered(s) {
			p.creatable(s, fleet.Reason{Code: fleet.PodMissing})
		}
	default:
		if blocker := p.blocker(s); blocker != nil {
			p.wait(fleet.PodTerminating, blocker.Name, time.Time{})
			return
		}
		if !p.unanswered(s) {
			p.creatable(s, fleet.Reason{Code: fleet.PodMissing})
		}
	}
}

// removeEnded deletes Failed and Succeeded Pods, one per backoff step (U077–U079, U097–U101). held tells that one is
// kept until its backoff ends: its node gets no other Pod before, with surge neither.
func (p *planner) removeEnded(s *fleet.Slot) (held bool) {
	backoff := s.Trouble().Failures.Waits(p.Now, p.generation)
	for _, pod := range s.Pods {
		if !pod.Terminal() || pod.Leaving() {
			continue
		}
		if backoff {
			p.wait(fleet.FailureBackoff, ended(pod), s.Trouble().Failures.Until)
			held = true
			continue
		}
		code := fleet.PodFailed
		if pod.Phase != fleet.PhaseFailed {
			code = fleet.PodSucceeded
		}
		p.remove(s, Action{Pod: pod, Guarded: true, Reason: fleet.Reason{Code: code, Detail: ended(pod)}})
		backoff = true
	}
	return held
}

func ended(pod *fleet.Pod) string {
	if pod.Why == nil || pod.Why.Code == "" {
		return fmt.Sprintf("Pod %s ended as %s", pod.Name, pod.Phase)
	}
	return fmt.Sprintf("Pod %s ended as %s, %s", pod.Name, pod.Phase, pod.Why)
}

// live are the slot's Pods that are neither ended nor on their way out; those that may not come to exist are last.
func (p *planner) live(s *fleet.Slot) []*fleet.Pod {
	var out, creating []*fleet.Pod
	for _, pod := range s.Pods {
		switch {
		case pod.Terminal() || p.going(pod):
		case pod.Creating:
			creating = append(creating, pod)
		default:
			out = append(out, pod)
		}
	}
	return append(out, creating...)
}

// blocker is a Pod that must be gone before another may start: one that still ends, or an ended one that this plan
// deletes or that has not been asked to go (U075, U079).
func (p *planner) blocker(s *fleet.Slot) *fleet.Pod {
	for _, pod := range s.Pods {
		if !pod.Gone() {
			return pod
		}
	}
	return nil
}

// dropSurplus keeps the first of several live Pods (U080). A Pod whose creation is not answered is never the one deleted.
func (p *planner) dropSurplus(s *fleet.Slot, live []*fleet.Pod) {
	for i := 1; i < len(live); i++ {
		p.settling = true
		p.drop(s, live[i], fleet.Reason{Code: fleet.PodSurplus, Detail: live[0].Name + " stays"})
	}
}

// pairUp keeps one Pod of the old and one of the new revision, and lets the old go once the new one serves, or once it
// serves nothing itself (U081).
func (p *planner) pairUp(s *fleet.Slot, live []*fleet.Pod) {
	var old, young *fleet.Pod
	for _, pod := range live {
		keep := &old
		if p.worn(pod).hash == p.hash {
			keep = &young
		}
		if *keep == nil {
			*keep = pod
			continue
		}
		p.settling = true
		p.drop(s, pod, fleet.Reason{Code: fleet.PodSurplus, Detail: (*keep).Name + " stays"})
	}
	if old == nil || young == nil {
		return
	}
	switch {
	case young.Creating: // it may come to nothing
	case !old.Ready:
		p.drop(s, old, fleet.Reason{Code: fleet.OldPodUnavailable, Detail: young.Name + " takes over"})
	case p.available(young):
		p.drop(s, old, fleet.Reason{Code: fleet.SurgeFinished, Detail: young.Name + " is available"})
	}
}

func (p *planner) drop(s *fleet.Slot, pod *fleet.Pod, why fleet.Reason) {
	if pod.Creating || slices.Contains(p.leaving, pod) {
		return
	}
	p.remove(s, Action{Pod: pod, Guarded: true, Reason: why})
}

// creatable notes that a Pod is to be made, unless a refused or unanswered call holds the slot back. Whether it would fit is
// seen when its turn comes.
func (p *planner) creatable(s *fleet.Slot, why fleet.Reason) bool {
	if p.refused(s) {
		return false
	}
	before := p.d.Creates(s.NodeName)
	if before.UnderWay > 0 {
		p.wait(fleet.CallInFlight, "the last create is not answered", time.Time{})
		return false
	}
	if before.Unsure != "" && p.Now.Before(before.Till) && before.Unsure != Name(p.d, s) {
		held := slices.Concat(s.Pods, p.d.Mismatched()) // one of these is there already: the create would meet it, and be content
		if s.Trouble().Taken != "" || slices.ContainsFunc(held, func(pod *fleet.Pod) bool { return pod.Name == before.Unsure }) {
			p.wait(fleet.CallInFlight, before.Unsure+" may yet be made", before.Till)
			return false
		}
		p.name = before.Unsure
		p.lookAgain(before.Till)
	}
	p.create = &why
	if t := s.Trouble(); t.Refused != "" {
		p.entry.refused = t.Refusals.Delay
	}
	return true
}

// remove deletes a Pod, unless a refusal holds the slot back.
func (p *planner) remove(s *fleet.Slot, a Action) {
	if p.refused(s) {
		return
	}
	a.Kind, a.Node, a.Guarded = Delete, s.NodeName, true
	p.act(a)
}

// refused tells whether the slot waits because the API server refused its last call.
func (p *planner) refused(s *fleet.Slot) bool {
	t := s.Trouble()
	if !t.Refusals.Waits(p.Now, p.generation) {
		return false
	}
	p.wait(fleet.CallBackoff, t.Refused, t.Refusals.Until)
	return true
}
