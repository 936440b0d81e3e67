package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/preview"
)

// print prints the report and ends with the exit code.
func (p *planCmd) print(r PlanReport) error {
	out := p.Streams.Out
	if p.out.Data() {
		if err := p.out.Encode(out, r); err != nil {
			return err
		}
	} else {
		t := &planText{paint: NewPaint(out), report: &r, full: p.full}
		for i := range r.Daemons {
			if i > 0 {
				t.line("")
			}
			t.daemon(&r.Daemons[i])
		}
		if _, err := fmt.Fprint(out, t.b.String()); err != nil {
			return err
		}
		fmt.Fprintln(p.Streams.ErrOut, p.last(r))
	}
	if r.Changes {
		return Exit(ExitChanges)
	}
	return nil
}

// last says what to do next.
func (p *planCmd) last(r PlanReport) string {
	if !r.Changes {
		return "Nothing would change."
	}
	source := "-k " + p.files.Kustomize
	if p.files.Kustomize == "" {
		source = "-f " + strings.Join(p.files.Files, " -f ")
	}
	return "Nothing was changed. To apply it: kubectl apply " + source
}

// planText writes previews for people.
type planText struct {
	b      strings.Builder
	paint  Paint
	report *PlanReport
	full   bool
}

func (t *planText) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

func (t *planText) head(title string) { t.line("  %s", t.paint.Bold(title)) }

func (t *planText) daemon(p *preview.Preview) {
	t.line("%s  %s", t.paint.Bold(p.Namespace+"/"+p.Name), t.title(p))
	for _, c := range p.Changes {
		mark := " "
		if c.Template {
			mark = "*"
		}
		t.line("  %s %s", mark, c.Text)
	}
	t.nodes(p)
	t.steps(p)
	t.notes("waits for", p.Holds, notIn(p.NoFit))
	t.notes("does not fit", p.NoFit, nil)
	t.cost(p)
	t.takes(p)
	if p.Timeline != nil {
		t.timeline(p)
	}
	if len(p.Warnings) > 0 {
		t.head("warnings")
		for _, w := range p.Warnings {
			t.line("    %s  %s", t.paint.Wait(w.Code), w.Text)
			t.line("      → %s", w.Fix)
		}
	}
}

func (t *planText) title(p *preview.Preview) string {
	switch {
	case p.Kind == preview.Create:
		return t.paint.Good("new DaemonSet")
	case p.Kind == preview.None && len(p.Nodes.Replaced)+len(p.Nodes.Gained) > 0:
		return "does not change; what is under way goes on"
	case p.Kind == preview.None:
		return "does not change"
	case p.From == "" && slices.ContainsFunc(p.Changes, func(c preview.Change) bool { return c.Template }):
		return t.paint.Wait("the template changes") + " (*), and all Pods are of it already"
	case slices.ContainsFunc(p.Changes, func(c preview.Change) bool { return c.Template }):
		return t.paint.Wait("the template changes") + fmt.Sprintf(" (*): revision %s → %s", orDash(p.From), orDash(p.To))
	}
	return "changes, and no Pod is replaced for it"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func notIn(list []preview.Note) func(preview.Note) bool {
	return func(n preview.Note) bool { return !slices.Contains(list, n) }
}

func (t *planText) nodes(p *preview.Preview) {
	n := p.Nodes
	t.head("nodes")
	t.gains(n.Gained)
	t.because("lose", n.Lost)
	t.names("replace", n.Replaced)
	t.names("on delete", n.OnDelete)
	t.names("never", n.NeverReached)
	t.names("keep", n.Kept)
	for _, code := range slices.Sorted(maps.Keys(n.Without)) {
		t.line("    %-9s %5d  %s", "without", n.Without[code], t.paint.Dim(string(code)))
	}
}

func (t *planText) gains(list []preview.Note) {
	var plain []string
	var reasons []preview.Note
	for _, g := range list {
		if g.Code == fleet.PodMissing {
			plain = append(plain, g.Node)
		} else {
			reasons = append(reasons, g)
		}
	}
	t.names("gain", plain)
	for _, g := range groups(reasons) {
		t.line("    %-9s %5d  %s %s", "gain", len(g.nodes), t.list(g.nodes), t.paint.Dim("(no longer "+g.why+")"))
	}
}

func (t *planText) because(what string, list []preview.Note) {
	for _, g := range groups(list) {
		t.line("    %-9s %5d  %s %s", what, len(g.nodes), t.list(g.nodes), t.paint.Dim("("+g.why+")"))
	}
}

func (t *planText) names(what string, list []string) {
	if len(list) > 0 {
		t.line("    %-9s %5d  %s", what, len(list), t.list(list))
	}
}

// list names a few nodes, or with --full all of them.
func (t *planText) list(nodes []string) string {
	if t.full {
		return strings.Join(nodes, " ")
	}
	return strings.Join(some(nodes, 6), " ")
}

// group is the nodes of one reason.
type group struct {
	why   string
	nodes []string
}

// groups gathers notes by their reason, the largest group first.
func groups(list []preview.Note) []group {
	var out []group
	for _, n := range list {
		why := fleet.Reason{Code: n.Code, Detail: n.Detail}.String()
		i := slices.IndexFunc(out, func(g group) bool { return g.why == why })
		if i < 0 {
			i, out = len(out), append(out, group{why: why})
		}
		out[i].nodes = append(out[i].nodes, n.Node)
	}
	slices.SortStableFunc(out, func(a, b group) int { return cmp.Compare(len(b.nodes), len(a.nodes)) })
	return out
}

func (t *planText) notes(title string, list []preview.Note, keep func(preview.Note) bool) {
	var shown []preview.Note
	for _, n := range list {
		if keep == nil || keep(n) {
			shown = append(shown, n)
		}
	}
	if len(shown) == 0 {
		return
	}
	t.head(title)
	const most = 8
	for i, n := range shown {
		if i == most && !t.full {
			t.line("    and %s more; --full lists them", counted(len(shown)-most, "node"))
			return
		}
		t.line("    %s  %s", n.Node, t.paint.Bad(fleet.Reason{Code: n.Code, Detail: n.Detail}.String()))
	}
}

// resources in the order in which people name them.
var firstResources = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage, corev1.ResourcePods}

func amountText(a preview.Amounts, sign bool) string {
	names := slices.Sorted(maps.Keys(a))
	slices.SortStableFunc(names, func(x, y corev1.ResourceName) int { return cmp.Compare(rank(x), rank(y)) })
	var out []string
	for _, name := range names {
		text := a[name]
		if sign && !strings.HasPrefix(text, "-") {
			text = "+" + text
		}
		out = append(out, string(name)+" "+text)
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}

func rank(name corev1.ResourceName) int {
	if i := slices.Index(firstResources, name); i >= 0 {
		return i
	}
	return len(firstResources)
}

func (t *planText) cost(p *preview.Preview) {
	r := p.Resources
	if p.Kind == preview.None {
		return
	}
	t.head("requests")
	switch before, after := amountText(r.Before, false), amountText(r.After, false); {
	case p.Kind == preview.Create:
		t.line("    each Pod  %s", after)
	case before == after:
		t.line("    each Pod  %s, as before", after)
	default:
		t.line("    each Pod  %s → %s", before, after)
	}
	t.line("    in all    %s", amountText(r.Total, true))
}
