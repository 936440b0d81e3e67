package explain

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
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
	if g := worst(d.Groups); g != nil {
		trouble = fmt.Sprintf("%s on %s: %s", g.Code, plural(g.Nodes, "node"), Phrase(g.Code))
	}
	return []string{d.Namespace, d.Name, fmt.Sprint(d.Counts.Desired), fmt.Sprint(d.Counts.Available), string(d.Runner.By), trouble}
}

// worst is the largest group that should run and does not, or else the largest that runs and is not as it should be.
func worst(groups []Group) *Group {
	var outdated *Group
	for i := range groups {
		switch g := &groups[i]; {
		case g.Answer == ShouldRun:
			return g
		case g.Answer == Runs && g.Code != Available && outdated == nil:
			outdated = g
		}
	}
	return outdated
}

// LineHeadings are the columns of LineRow.
var LineHeadings = []string{"Node", "Answer", "Reason", "Pod", "Wait", "Detail"}

// LineRow is one node in a line, with how long it waits if time alone decides.
func LineRow(l *Line, now time.Time) []string {
	row := []string{l.Node, string(l.Answer), string(l.Reason.Code), "-", "-", l.Reason.Detail}
	if l.Pod != "" {
		row[3] = l.Pod
	}
	if l.Until != nil {
		row[4] = duration.HumanDuration(l.Until.Sub(now))
	}
	return row
}
