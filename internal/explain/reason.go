package explain

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/snapshot"
)

// finding is why a node is as it is.
type finding struct {
	answer Answer
	reason fleet.Reason
	until  time.Time
	pod    *fleet.Pod
}

func found(a Answer, code fleet.Code, detail string) finding {
	return finding{answer: a, reason: fleet.Reason{Code: code, Detail: detail}}
}

// find gives the one reason that a person should read first. What holds for the whole DaemonSet comes before what holds
// for the node, the verdict before the Pod, and what the plan says before what containers do.
func (b *Book) find(s *fleet.Slot) finding {
	f := b.findReason(s)
	if f.pod == nil {
		f.pod = first(s)
	}
	return f
}

func (b *Book) findReason(s *fleet.Slot) finding {
	switch {
	case b.daemon.Deleting():
		return found(MustNot, DaemonSetDeleting, "for "+age(b.world.Now, b.daemon.Object.DeletionTimestamp.Time))
	case b.plan.Problem != nil:
		return found(ShouldRun, SelectingAll, b.plan.Problem.Detail)
	case b.notRead("pods") && len(b.world.Pods) == 0:
		return found(Unknown, NotRead, "Pods may not be read")
	case s.Node == nil && b.notRead("nodes"):
		return b.unseen(s)
	case s.Node == nil:
		return b.vanished(s)
	case !s.Verdict.ShouldRun():
		return b.unwanted(s)
	}
	if pod := b.orphans[s.NodeName]; pod != nil && first(s) == nil {
		return b.orphan(pod)
	}
	if pod := b.strange[s.NodeName]; pod != nil && first(s) == nil {
		return b.stranger(pod)
	}
	if b.plan.Hash == "" {
		return b.noRevision(s)
	}
	if f, ok := b.planned(s); ok {
		return f
	}
	return b.present(s)
}

// answer is the short form by what is there.
func (b *Book) answer(s *fleet.Slot) Answer {
	pod := first(s)
	switch {
	case s.Node == nil || !s.Verdict.MayStay():
		return MustNot
	case !s.Verdict.ShouldRun() && pod == nil:
		return MustNot
	case !s.Verdict.ShouldRun():
		return MayStay
	case pod != nil && !pod.Leaving() && b.available(pod):
		return Runs
	}
	return ShouldRun
}

// notRead tells that the person may not read a resource.
func (b *Book) notRead(resource string) bool {
	return slices.ContainsFunc(b.world.Missing, func(m snapshot.Missing) bool { return m.Resource == resource })
}

// unseen is about a node when nodes may not be read: its Pod tells how it fares, and nothing whether there should be one.
func (b *Book) unseen(s *fleet.Slot) finding {
	if first(s) == nil {
		return found(Unknown, NotRead, "nodes may not be read")
	}
	f := b.present(s)
	if f.answer = Unknown; b.available(first(s)) {
		f.answer = Runs
	}
	return f
}

// vanished is about a node that no longer exists. When it went is known to the controller alone.
func (b *Book) vanished(s *fleet.Slot) finding {
	f := found(MustNot, fleet.NodeGone, "no node of that name exists")
	switch {
	case len(s.Pods) == 0:
	case !b.everynode():
		f.reason = fleet.Reason{Code: fleet.NodeVanished, Detail: "the Pod garbage collector removes " + s.Pods[0].Name}
	default:
		f.reason = fleet.Reason{Code: fleet.NodeVanished, Detail: s.Pods[0].Name + " is still there"}
		for _, w := range b.waits[s.NodeName] {
			if w.Reason.Code == fleet.NodeQuarantine {
				f.reason = w.Reason
				if b.world.Live(b.daemon.Key) != nil {
					f.until = w.Until
				}
			}
		}
	}
	return f
}

// unwanted is about a node that the daemon should not run on.
func (b *Book) unwanted(s *fleet.Slot) finding {
	f := finding{answer: b.answer(s), reason: s.Verdict.Reason}
	if n := b.world.Node(s.NodeName); n != nil && n.Ready != corev1.ConditionTrue && b.tainted(s.Node) {
		f.reason = fleet.Reason{Code: NodeNotReady, Detail: nodeText(n, b.world.Now) + "; taint " + s.Verdict.Reason.Detail}
	}
	pod := first(s)
	if pod != nil && pod.Leaving() && !s.Verdict.MayStay() {
		f.reason.Detail += "; its Pod is ending"
	}
	return f
}

// tainted tells that nothing but the taints that Kubernetes gives to a node that is not Ready keep the daemon off.
func (b *Book) tainted(n *fleet.Node) bool {
	ready := *n
	ready.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t corev1.Taint) bool {
		return t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable
	})
	return b.matcher.Verdict(&ready).ShouldRun()
}

func (b *Book) orphan(pod *fleet.Pod) finding {
	code, detail := fleet.SelectorMatches, "Pod "+pod.Name+" has no controller and the selector matches it"
	if pod.Leaving() {
		code, detail = fleet.PodTerminating, "Pod "+pod.Name+" of no owner has not ended"
	} else if b.daemon.StalledWhy.Detail != "" && b.daemon.StalledWhy.Code == fleet.CallBackoff {
		detail += "; adopting it was refused: " + b.daemon.StalledWhy.Detail
	}
	f := found(ShouldRun, code, detail)
	f.pod = pod
	return f
}

func (b *Book) stranger(pod *fleet.Pod) finding {
	f := found(ShouldRun, fleet.SelectorMismatch, fmt.Sprintf("Pod %s is owned, but its labels no longer match the selector", pod.Name))
	f.pod = pod
	return f
}

// noRevision is about a DaemonSet of which no revision exists yet, so that no Pod can be labelled with one.
func (b *Book) noRevision(s *fleet.Slot) finding {
	if b.runner.By == snapshot.Nobody {
		return found(b.answer(s), NoController, b.runner.Because)
	}
	if why := b.daemon.StalledWhy; why.Detail != "" {
		return found(b.answer(s), fleet.HistoryKept, why.Detail)
	}
	return found(b.answer(s), fleet.HistoryKept, "the revision of the current template is not written yet")
}

// rank orders what a plan waits for on one node: what a person can act on first.
var rank = map[fleet.Code]int{
	fleet.CallBackoff: 1, fleet.NoRoom: 2, fleet.PortTaken: 2, fleet.FailureBackoff: 3, fleet.PodTerminating: 4, fleet.CallInFlight: 5,
	fleet.NodeQuarantine: 6, fleet.PodNotReady: 7, fleet.MinReady: 8, fleet.DryRunFirst: 9, fleet.BudgetUsed: 10, fleet.UpdateOnDelete: 11,
}

// planned is what the plan says about a node: what it waits for, or else what is done next.
func (b *Book) planned(s *fleet.Slot) (finding, bool) {
	var best *plan.Wait
	for i := range b.waits[s.NodeName] {
		if w := &b.waits[s.NodeName][i]; best == nil || rank[w.Reason.Code] < rank[best.Reason.Code] {
			best = w
		}
	}
	if best != nil {
		return b.waiting(s, best), true
	}
	for _, a := range b.actions[s.NodeName] {
		return b.acting(s, a), true
	}
	return finding{}, false
}

func (b *Book) waiting(s *fleet.Slot, w *plan.Wait) finding {
	f := finding{answer: b.answer(s), reason: w.Reason, until: w.Until}
	switch w.Reason.Code {
	case fleet.PodNotReady:
		return b.present(s)
	case fleet.BudgetUsed:
		f.reason.Detail = b.budgetText()
	case fleet.DryRunFirst:
		if words, ok := b.refusedRevision(); ok {
			f.reason = fleet.Reason{Code: RolloutBlocked, Detail: words}
		}
	case fleet.CallBackoff:
		if w.Reason.Detail == "" {
			f.reason.Detail, _, _ = b.events.refused(b.world.Now)
		}
	case fleet.NoRoom, fleet.PortTaken:
		if f.answer == Runs {
			f.reason.Detail += ", even without the old Pod"
		}
	}
	return f
}

// refusedRevision gives the API server's words about a Pod of the new revision, from the controller or its event.
func (b *Book) refusedRevision() (string, bool) {
	if why := b.daemon.StalledWhy; why.Code == fleet.CallBackoff && why.Detail != "" {
		return why.Detail, true
	}
	for _, r := range b.world.Fleet.Revisions(b.daemon) {
		if r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] == b.plan.Hash {
			return b.events.blocked(b.world.Now, r.CreationTimestamp.Time)
		}
	}
	return "", false
}

// acting is about a node for which the controller has something to do at once. If it is there to be seen, something holds
// it up, and only the events may tell what.
func (b *Book) acting(s *fleet.Slot, a plan.Action) finding {
	f := finding{answer: b.answer(s), reason: a.Reason}
	switch a.Kind {
	case plan.Create:
		if text, at, ok := b.events.refused(b.world.Now); ok {
			f.reason = fleet.Reason{Code: fleet.CallBackoff, Detail: text + " (" + ago(b.world.Now, at) + ")"}
			return f
		}
		if b.runner.By == snapshot.Nobody {
			f.reason = fleet.Reason{Code: NoController, Detail: b.runner.Because}
		}
	case plan.Delete:
		if text, ok := b.events.notDeleted(b.world.Now); ok && a.Reason.Code != fleet.TemplateOutdated {
			f.reason = fleet.Reason{Code: fleet.CallBackoff, Detail: text}
		}
	case plan.DryRun:
		if words, ok := b.refusedRevision(); ok {
			f.reason = fleet.Reason{Code: RolloutBlocked, Detail: words}
		}
	}
	return f
}

// present is about a node with nothing left to decide: its Pod is available, or it is for the kubelet, or a scheduler.
func (b *Book) present(s *fleet.Slot) finding {
	pod := first(s)
	if pod == nil {
		return found(ShouldRun, fleet.PodMissing, "")
	}
	f := finding{answer: b.answer(s), pod: pod}
	switch at, ready := pod.AvailableAt(b.minReady()); {
	case pod.Leaving():
		f.reason = fleet.Reason{Code: fleet.PodTerminating, Detail: pod.Name}
	case b.available(pod):
		f.reason = fleet.Reason{Code: Available}
	case ready:
		f.reason, f.until = fleet.Reason{Code: fleet.MinReady, Detail: pod.Name}, at
	default:
		f.reason = b.notReady(s, pod)
	}
	return f
}

// notReady looks for what keeps a Pod from being Ready: first at its node, then at its binding, then at its containers.
func (b *Book) notReady(s *fleet.Slot, pod *fleet.Pod) fleet.Reason {
	p := b.record(pod)
	if p == nil {
		return fleet.Reason{Code: fleet.CallInFlight, Detail: "the Pod is being created"}
	}
	if !pod.Bound {
		return unscheduled(p)
	}
	if n := b.world.Node(s.NodeName); n != nil && n.Ready != corev1.ConditionTrue {
		return fleet.Reason{Code: NodeNotReady, Detail: nodeText(n, b.world.Now)}
	}
	for i := range p.Containers {
		if r, ok := troubled(&p.Containers[i], b.template()); ok {
			return r
		}
	}
	return fleet.Reason{Code: fleet.PodNotReady, Detail: pod.Name}
}
