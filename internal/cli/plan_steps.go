package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/preview"
)

// steps shows the order of a rollout.
func (t *planText) steps(p *preview.Preview) {
	r := p.Rollout
	if len(p.Nodes.OnDelete) > 0 {
		t.head("rollout")
		t.line("    strategy OnDelete: each node changes when somebody deletes its Pod")
	}
	if r.Total == 0 {
		if r.Waiting > 0 {
			t.head("rollout")
			t.line("    %s", t.paint.Bad(haltText(p, 0)))
		}
		return
	}
	t.head("rollout")
	t.line("    %s, %s at a time (%s)%s", counted(r.Total, "step"), counted(width(r), "node"), budgetText(p), t.order(p))
	shown := len(r.Steps)
	if !t.full && shown > 4 {
		shown = 3
	}
	for i, s := range r.Steps[:shown] {
		t.line("    %4d  %-8s %s%s", i+1, "+"+preview.Rough(s.After.Duration), t.list(s.Nodes), t.dead(s))
	}
	if more := r.Total - shown; more > 0 {
		t.line("    %4s  %s", "…", t.paint.Dim(counted(more, "more step")))
	}
	if r.Waiting > 0 {
		t.line("    %s", t.paint.Bad(haltText(p, r.Total)))
	}
}

func (t *planText) order(p *preview.Preview) string {
	if t.report.builtIn(p) {
		return "; the built-in controller chooses an order of its own"
	}
	return ""
}

func (t *planText) dead(s preview.Step) string {
	if len(s.Unavailable) == 0 {
		return ""
	}
	return t.paint.Dim(fmt.Sprintf("  (not available now, so they go at once: %s)", t.list(s.Unavailable)))
}

func haltText(p *preview.Preview, after int) string {
	return fmt.Sprintf("then it halts: %s never get their turn, as those below use the budget up after %s", counted(p.Rollout.Waiting, "node"), counted(after, "step"))
}

func width(r preview.Rollout) int {
	if r.Surging {
		return r.MaxSurge
	}
	return r.MaxUnavailable
}

// budgetText says where the width comes from.
func budgetText(p *preview.Preview) string {
	if p.Rollout.Surging {
		return fmt.Sprintf("maxSurge %d of %d", p.Rollout.MaxSurge, p.Rollout.Desired)
	}
	return fmt.Sprintf("maxUnavailable %d of %d", p.Rollout.MaxUnavailable, p.Rollout.Desired)
}

func (t *planText) takes(p *preview.Preview) {
	r := p.Rollout
	if r.Takes == nil || p.Rollout.Strategy == appsv1.OnDeleteDaemonSetStrategyType {
		return
	}
	basis := fmt.Sprintf("Pods of %s took %s to become Ready, median of %d", r.Basis.Of, r.Basis.Ready.Duration, r.Basis.Pods)
	if r.Basis.Of == preview.OfNothing {
		basis = fmt.Sprintf("no Pod is there to judge by; %s to become Ready is assumed", r.Basis.Ready.Duration)
	}
	t.head("takes")
	t.line("    about %s %s", preview.Rough(r.Takes.Duration), t.paint.Dim(fmt.Sprintf("(estimate: %s; %s to end is assumed)", basis, r.Basis.End.Duration)))
}

// moment is what happens at one time, by kind.
type moment struct {
	at   time.Duration
	what preview.Happening
	why  fleet.Code
	on   []string
}

// timeline shows a simulation.
func (t *planText) timeline(p *preview.Preview) {
	t.head("timeline")
	var list []moment
	for _, m := range p.Timeline {
		i := slices.IndexFunc(list, func(x moment) bool { return x.at == m.At.Duration && x.what == m.What && x.why == m.Code })
		if i < 0 {
			i, list = len(list), append(list, moment{at: m.At.Duration, what: m.What, why: m.Code})
		}
		list[i].on = append(list[i].on, m.Node)
	}
	ready := 0
	for _, m := range list {
		text := fmt.Sprintf("    %-9s %-12s %5d  %s", "+"+m.at.Round(time.Second).String(), m.what, len(m.on), t.list(m.on))
		switch m.what {
		case preview.PodReady:
			ready += len(m.on)
			text += t.paint.Good(fmt.Sprintf("  (%d Ready so far)", ready))
		case preview.NodeSilent:
			text = t.paint.Bad(text)
		case preview.PodCreated, preview.PodDeleted:
			text += t.paint.Dim("  " + string(m.why))
		}
		t.line("%s", strings.TrimRight(text, " "))
	}
	switch {
	case p.Rollout.Waiting > 0:
		t.line("    %s", t.paint.Bad(fmt.Sprintf("halts: %s still old", counted(p.Rollout.Waiting, "node"))))
	case len(p.Holds) > 0:
		t.line("    %s", t.paint.Wait("ends, but for those it waits for"))
	default:
		t.line("    %s", t.paint.Good("done"))
	}
}
