package report

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// blockerNames are what a rollout waits for, in words. A Pod within minReadySeconds is no blocker: time alone ends that.
var blockerNames = map[fleet.Code]string{
	fleet.PodNotReady:    "the new Pod is not ready",
	fleet.PodTerminating: "the old Pod has not ended",
	fleet.FailureBackoff: "the Pod failed",
	fleet.CallBackoff:    "the Pod was refused",
	fleet.NoRoom:         "no room",
	fleet.PortTaken:      "a host port is taken",
}

// Stalled tells whether a rollout can only wait: outdated Pods are left, the budget is used up and nothing is to be done.
func Stalled(p plan.Plan) bool {
	return p.Due == 0 && p.Waiting[fleet.BudgetUsed] > 0 && blocked(p) > 0
}

// blocked is how many nodes hold a rollout up.
func blocked(p plan.Plan) (n int) {
	for code := range blockerNames {
		n += p.Waiting[code]
	}
	return n
}

// Stall is the event for a rollout that has been stalled for a while; waits are the plan's.
func Stall(p plan.Plan, waits iter.Seq[plan.Wait]) Event {
	limit := fmt.Sprintf("maxUnavailable %d", p.Budget.MaxUnavailable)
	if p.Budget.Surging {
		limit = fmt.Sprintf("maxSurge %d", p.Budget.MaxSurge)
	}
	return warning(RolloutStalled, "", "%s: %s is used up by %s: %s", counted(p.Waiting[fleet.BudgetUsed], "waits for its update", "wait for their update"), limit, nodes(p.Budget.Used), blockers(p, waits))
}

// blockers names the first nodes that hold a rollout up, each with what it waits for.
func blockers(p plan.Plan, waits iter.Seq[plan.Wait]) string {
	const shown = 5
	var out []string
	for w := range waits {
		if words := blockerNames[w.Reason.Code]; words != "" {
			out = append(out, w.Node+": "+words+notReady(p, w.Node))
		}
		if len(out) == shown {
			break
		}
	}
	text := strings.Join(out, "; ")
	if more := blocked(p) - len(out); more > 0 {
		text = fmt.Sprintf("%s; and %d more", text, more)
	}
	return text
}

// stalled is what Progressing says of a rollout that has brought no node forward for too long. Its reason is what most nodes
// wait for.
func stalled(p plan.Plan, waits iter.Seq[plan.Wait]) appsv1.DaemonSetCondition {
	reason, text := RolloutStalled, "what it waits for is not known"
	if blocked(p) > 0 {
		most := slices.MaxFunc(stallCodes(), func(a, b fleet.Code) int { return cmp.Compare(p.Waiting[a], p.Waiting[b]) })
		reason, text = string(most), blockers(p, waits)
	}
	return says(Progressing, corev1.ConditionFalse, reason, "Revision %s: no node moved forward for %s: %s.", p.Hash, lasting(p), text)
}

// stallCodes are the reasons that a standstill can have.
func stallCodes() []fleet.Code { return slices.Sorted(maps.Keys(blockerNames)) }

// lasting is the deadline as a person writes it.
func lasting(p plan.Plan) string {
	minutes := fmt.Sprintf("%d minutes", int(ProgressDeadline.Minutes()))
	if s := p.Daemon.Object.Spec.MinReadySeconds; s > 0 {
		return fmt.Sprintf("%s and minReadySeconds (%d)", minutes, s)
	}
	return minutes
}

func nodes(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return nodes(n) + " " + one
	}
	return nodes(n) + " " + many
}

// notReady adds that it is the node's fault.
func notReady(p plan.Plan, node string) string {
	if s := p.Daemon.Slot(node); s != nil && s.Node != nil && !s.Node.Ready {
		return " (the node is NotReady)"
	}
	return ""
}
