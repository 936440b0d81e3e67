package explain

import (
	"fmt"

	"github.com/everynode/everynode/internal/fleet"
)

// Summary is several DaemonSets.
type Summary struct {
	Version    string      `json:"version"`
	DaemonSets []DaemonSet `json:"daemonSets"`
}

// SummaryHeadings are the columns of SummaryRow.
var SummaryHeadings = []string{"Namespace", "Name", "Nodes", "Available", "Run by", "Most frequent trouble"}

// SummaryRow is one DaemonSet in a line: with the trouble that most nodes have that should run it.
func SummaryRow(d *DaemonSet) []string {
	trouble := "-"
	for i := range d.Groups {
		if g := &d.Groups[i]; g.Answer == ShouldRun || (g.Answer == Runs && g.Code != Available) {
			trouble = fmt.Sprintf("%s on %s: %s", g.Code, plural(g.Nodes, "node"), Phrase(g.Code))
			break
		}
	}
	return []string{d.Namespace, d.Name, fmt.Sprint(d.Counts.Desired), fmt.Sprint(d.Counts.Available), string(d.Runner.By), trouble}
}

// Nodes are the names of the nodes with a reason, or of all without one.
func (b *Book) Nodes(code fleet.Code) []string {
	out := []string{}
	for _, l := range b.all() {
		if code == "" || l.Reason.Code == code {
			out = append(out, l.Node)
		}
	}
	return out
}
