package explain

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// budget is the update strategy in numbers, with the nodes that use it up.
func (b *Book) budget() Budget {
	p := b.plan.Budget
	out := Budget{Strategy: string(p.Strategy), MaxUnavailable: p.MaxUnavailable, MaxSurge: p.MaxSurge, Used: p.Used}
	if p.Strategy != appsv1.RollingUpdateDaemonSetStrategyType || p.Used == 0 {
		return out
	}
	for _, s := range b.daemon.Slots() {
		if b.uses(s) {
			out.Users = append(out.Users, b.line(s))
		}
	}
	return out
}

// uses tells whether a node counts against the budget that applies: it lacks an available Pod, or with surge holds two.
func (b *Book) uses(s *fleet.Slot) bool {
	var live []*fleet.Pod
	for _, p := range s.Pods {
		if !p.Leaving() && !p.Creating {
			live = append(live, p)
		}
	}
	switch {
	case s.Node == nil:
		return false
	case b.plan.Budget.Surging:
		return len(live) > 1
	case len(s.Pods) == 0 && !s.Verdict.ShouldRun():
		return false
	}
	return len(live) != 1 || !b.available(live[0])
}

// budgetText says who uses the budget up, in one clause.
func (b *Book) budgetText() string {
	p := b.plan.Budget
	limit := fmt.Sprintf("maxUnavailable %d", p.MaxUnavailable)
	if p.Surging {
		limit = fmt.Sprintf("maxSurge %d", p.MaxSurge)
	}
	var users []string
	for _, s := range b.daemon.Slots() {
		if b.uses(s) {
			users = append(users, s.NodeName)
		}
	}
	const shown = 3
	switch n := len(users); {
	case n == 0:
		return limit + " goes to other nodes first"
	case n > shown:
		return fmt.Sprintf("%s is used by %s and %d more", limit, strings.Join(users[:shown], ", "), n-shown)
	}
	return limit + " is used by " + strings.Join(users, ", ")
}
