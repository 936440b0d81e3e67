package report

import (
	"fmt"
	"strings"

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
// on identifies what it waits for, so that progress can be told from standstill.
func Stalled(p plan.Plan) (e Event, on string, ok bool) {
	const shown = 5
	if len(p.Actions) > 0 {
		return Event{}, "", false
	}
	waiting := 0
	var blockers []string
	for _, w := range p.Waits {
		if w.Reason.Code == fleet.BudgetUsed {
			waiting++
		} else if words := blockerNames[w.Reason.Code]; words != "" {
			blockers = append(blockers, w.Node+": "+words+notReady(p, w.Node))
		}
	}
	if waiting == 0 || len(blockers) == 0 {
		return Event{}, "", false
	}
	on = strings.Join(blockers, "; ")
	text := on
	if len(blockers) > shown {
		text = fmt.Sprintf("%s; and %d more", strings.Join(blockers[:shown], "; "), len(blockers)-shown)
	}
	limit := fmt.Sprintf("maxUnavailable %d", p.Budget.MaxUnavailable)
	if p.Budget.Surging {
		limit = fmt.Sprintf("maxSurge %d", p.Budget.MaxSurge)
	}
	return warning(RolloutStalled, "", "%s: %s is used up by %s: %s", counted(waiting, "waits for its update", "wait for their update"), limit, nodes(p.Budget.Used), text), on, true
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
