package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/everynode/everynode/internal/snapshot"
)

// Colours are what a terminal does to text; each may give it back as it is.
type Colours interface {
	Good(string) string
	Bad(string) string
	Wait(string) string
	Dim(string) string
	Bold(string) string
}

// writer keeps the first error, so that text can be written line by line.
type writer struct {
	w   io.Writer
	c   Colours
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.w, format+"\n", args...)
	}
}

// WriteNode writes all about one node. program is how a person calls this program.
func WriteNode(out io.Writer, n *Node, program string, c Colours) error {
	w := &writer{w: out, c: c}
	title := fmt.Sprintf("%s %s on %s", c.Bold(n.Namespace+"/"+n.DaemonSet), answerText(n, c), c.Bold(n.Node))
	if n.Reason.Code != Available {
		title += ": " + Phrase(n.Reason.Code)
	}
	w.line("%s", title)
	w.line("")
	w.checks(n.Checks)
	w.line("")
	w.pods(n)
	w.field("Reason", "%s", reasonText(n.Reason))
	for _, text := range n.Blocked {
		w.field("Also", "%s", text)
	}
	w.field("Next", "%s", n.Next)
	label := "To change"
	for _, change := range n.Changes {
		w.field(label, "%s", change)
		label = ""
	}
	w.field("Run by", "%s", runnerText(n.Runner, n.Live))
	if n.Same > 0 && n.Reason.Code != Available {
		w.line("")
		w.line("%s", c.Dim(fmt.Sprintf("Same reason on %s: %s explain -n %s %s --reason %s", plural(n.Same, "other node"), program, n.Namespace, n.DaemonSet, n.Reason.Code)))
	}
	return w.err
}

func answerText(n *Node, c Colours) string {
	switch n.Answer {
	case Runs:
		return c.Good("runs")
	case ShouldRun:
		return c.Bad("should run")
	}
	return c.Wait(string(n.Answer))
}

func reasonText(r Reason) string {
	if r.Detail == "" {
		return string(r.Code)
	}
	return string(r.Code) + ": " + r.Detail
}

func (w *writer) field(name, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n             ")
	w.line("  %-10s %s", name, text)
}

// checks writes a tick or a cross for each test, in columns.
func (w *writer) checks(checks []Check) {
	width, subject := 0, 0
	for _, c := range checks {
		width = max(width, len(c.What))
		if len(c.Subject) <= maxSubject {
			subject = max(subject, len(c.Subject))
		}
	}
	for _, c := range checks {
		mark := w.c.Good("✓")
		if !c.Pass {
			mark = w.c.Bad("✗")
		}
		w.line("  %s %s", mark, strings.TrimRight(fmt.Sprintf("%-*s  %-*s  %s", width, c.What, subject, c.Subject, c.Detail), " "))
	}
}

// maxSubject is from where on a long subject no longer moves the column of the details.
const maxSubject = 48

func (w *writer) pods(n *Node) {
	if len(n.Pods) == 0 {
		w.field("Pod", "none")
	}
	for i := range n.Pods {
		p := &n.Pods[i]
		revision := "revision " + p.Revision
		if p.Outdated {
			revision = "old " + revision
		}
		if p.Revision == "" {
			revision = "no revision"
		}
		w.field("Pod", "%s   %s, %s, age %s", p.Name, p.State, revision, p.Age)
		for _, fact := range p.Facts {
			w.field("", "%s", fact)
		}
	}
}

func runnerText(r snapshot.Runner, live bool) string {
	text := "nobody"
	switch r.By {
	case snapshot.Everynode:
		text = "everynode, " + string(r.Placement) + " placement"
	case snapshot.BuiltIn:
		text = "the built-in controller"
	}
	text += " (" + r.Because + ")"
	if live {
		text += "; its live state is included"
	}
	return text
}

// WriteDaemonSet writes the groups, and with a reason asked for, its nodes.
func WriteDaemonSet(out io.Writer, d *DaemonSet, program string, c Colours) error {
	w := &writer{w: out, c: c}
	w.line("%s: %d of %d nodes that should run it have an available Pod", c.Bold(d.Namespace+"/"+d.Name), d.Counts.Available, d.Counts.Desired)
	w.line("%s", c.Dim("Run by "+runnerText(d.Runner, d.Live)+"; "+budgetLine(&d.Budget)))
	for _, note := range d.Notes {
		w.line("%s", c.Wait("! "+note))
	}
	w.line("")
	if d.Lines != nil {
		w.lines(d)
		return w.err
	}
	w.groups(d)
	if w.err == nil && len(d.Groups) > 0 {
		w.line("")
		w.line("%s", c.Dim(fmt.Sprintf("One node: %s explain -n %s %s NODE     nodes of a reason: --reason CODE", program, d.Namespace, d.Name)))
	}
	return w.err
}

func budgetLine(b *Budget) string {
	switch {
	case b.Strategy == "":
		return "no revision yet"
	case b.Strategy != "RollingUpdate":
		return "strategy " + b.Strategy
	case b.MaxSurge > 0:
		return fmt.Sprintf("maxSurge %d, %d used", b.MaxSurge, b.Used)
	}
	return fmt.Sprintf("maxUnavailable %d, %d used", b.MaxUnavailable, b.Used)
}

func (w *writer) groups(d *DaemonSet) {
	if len(d.Groups) == 0 {
		w.line("There are no nodes.")
		return
	}
	t := tabwriter.NewWriter(w.w, 0, 0, 3, ' ', 0)
	rows := &writer{w: t, c: w.c, err: w.err}
	rows.line("NODES\tANSWER\tREASON\tWHAT\tFOR INSTANCE")
	for i := range d.Groups {
		g := &d.Groups[i]
		rows.line("%d\t%s\t%s\t%s\t%s", g.Nodes, g.Answer, g.Code, Phrase(g.Code), instance(g))
	}
	if rows.err == nil {
		rows.err = t.Flush()
	}
	w.err = rows.err
}

func instance(g *Group) string {
	text := strings.Join(g.Examples[:min(2, len(g.Examples))], ", ")
	if g.Nodes > 2 {
		text += ", …"
	}
	if len(g.Details) > 0 {
		text += " (" + cut(g.Details[0].Text) + ")"
	}
	return text
}

// cut shortens what would break a table.
func cut(text string) string {
	const longest = 90
	text = firstLine(text)
	if r := []rune(text); len(r) > longest {
		return string(r[:longest-1]) + "…"
	}
	return text
}

func (w *writer) lines(d *DaemonSet) {
	t := tabwriter.NewWriter(w.w, 0, 0, 3, ' ', 0)
	rows := &writer{w: t, c: w.c, err: w.err}
	rows.line("NODE\tANSWER\tPOD\tREASON")
	for i := range d.Lines {
		l := &d.Lines[i]
		pod := l.Pod
		if pod == "" {
			pod = "-"
		}
		rows.line("%s\t%s\t%s\t%s", l.Node, l.Answer, pod, firstLine(reasonText(l.Reason)))
	}
	if rows.err == nil {
		rows.err = t.Flush()
	}
	w.err = rows.err
}
