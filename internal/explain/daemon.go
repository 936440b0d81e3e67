package explain

import (
	"cmp"
	"slices"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

// How many examples and details a group shows.
const (
	maxExamples = 5
	maxDetails  = 3
)

// DaemonSet groups the nodes by reason, the most frequent first.
func (b *Book) DaemonSet() DaemonSet {
	out := DaemonSet{
		Version: Version, Namespace: b.daemon.Key.Namespace, Name: b.daemon.Key.Name,
		Counts: Counts(b.plan.Counts), Budget: b.budget(), Runner: b.runner, Live: b.world.Live(b.daemon.Key) != nil,
		Notes: b.notes(), Groups: []Group{}, Taken: b.world.Now,
	}
	type key struct {
		code   fleet.Code
		answer Answer
	}
	byKey := map[key][]Line{}
	for _, l := range b.all() {
		k := key{l.Reason.Code, l.Answer}
		byKey[k] = append(byKey[k], l)
	}
	for k, lines := range byKey {
		out.Groups = append(out.Groups, groupOf(k.code, k.answer, lines))
	}
	slices.SortFunc(out.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Answer, b.Answer))
	})
	return out
}

// With gives the DaemonSet with the nodes of one reason only, each with its detail.
func (b *Book) With(code fleet.Code) DaemonSet {
	out := b.DaemonSet()
	out.Groups = slices.DeleteFunc(out.Groups, func(g Group) bool { return g.Code != code })
	out.Lines = b.Lines(code)
	return out
}

// Lines are the nodes with a reason, or all without one.
func (b *Book) Lines(code fleet.Code) []Line {
	out := []Line{}
	for _, l := range b.all() {
		if code == "" || l.Reason.Code == code {
			out = append(out, l)
		}
	}
	return out
}

func groupOf(code fleet.Code, answer Answer, lines []Line) Group {
	g := Group{Code: code, Answer: answer, Nodes: len(lines)}
	count := map[string]int{}
	for _, l := range lines {
		if len(g.Examples) < maxExamples {
			g.Examples = append(g.Examples, l.Node)
		}
		if l.Reason.Detail != "" {
			count[l.Reason.Detail]++
		}
	}
	for text, n := range count {
		g.Details = append(g.Details, Detail{Text: text, Nodes: n})
	}
	slices.SortFunc(g.Details, func(a, b Detail) int {
		return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(a.Text, b.Text))
	})
	g.Details = g.Details[:min(maxDetails, len(g.Details))]
	return g
}

// notes are about the DaemonSet as a whole.
func (b *Book) notes() []string {
	var out []string
	if b.plan.Budget.PortsForbidSurge {
		out = append(out, "maxSurge is not used: two Pods on a node cannot both hold a host port")
	}
	if b.runner.By == snapshot.Nobody {
		out = append(out, "no controller seems to run this DaemonSet: "+b.runner.Because)
	}
	if n := len(b.daemon.Astray()); n > 0 {
		out = append(out, plural(n, "Pod")+" of it name no node; they count nowhere")
	}
	if s := b.world.Live(b.daemon.Key); s != nil {
		if s.StandsSince != nil {
			out = append(out, "the rollout has stood still for "+age(b.world.Now, *s.StandsSince)+"; "+b.budgetText())
		}
		if s.Calls > 0 {
			out = append(out, plural(s.Calls, "API call")+" in flight")
		}
	}
	return out
}
