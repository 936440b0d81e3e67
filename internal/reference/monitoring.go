package reference

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/config"
	"github.com/everynode/everynode/internal/dashboard"
	"github.com/everynode/everynode/internal/metrics"
)

func metricsPage() []byte {
	p := newPage("Metrics", "internal/metrics/declare.go")
	p.text("What `/metrics` serves, beside what Go's client library tells of every process (`go_`, `process_`). No label names a node or a Pod, so the number of series grows with the number of DaemonSets alone. The series of a DaemonSet end with it. Histograms are native ones too, for a Prometheus that asks for them. [monitoring.md](../monitoring.md) says how to scrape.")
	var rows [][]string
	for _, m := range metrics.All() {
		labels := "–"
		if len(m.Labels) > 0 {
			labels = code(strings.Join(m.Labels, "`, `"))
		}
		rows = append(rows, []string{code(m.Name), string(m.Type), labels, m.Help})
	}
	p.table([]string{"metric", "type", "labels", "meaning"}, rows)
	return p.done()
}

// Rule is one alert, as Prometheus reads it.
type Rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Group is some alerts that belong together.
type Group struct {
	Name  string `json:"name"`
	Rules []Rule `json:"rules"`
}

// Alerts reads the alert rules.
func Alerts() ([]Group, error) {
	text, err := config.Read(config.Alerts)
	if err != nil {
		return nil, err
	}
	var file struct {
		Groups []Group `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, fmt.Errorf("config/%s is no rules file: %w", config.Alerts, err)
	}
	return file.Groups, nil
}

func alertsPage(groups []Group) []byte {
	p := newPage("Alerts", "config/"+config.Alerts)
	p.text("The rules are in [config/alerts](../../config/alerts/everynode.rules.yaml). Each has a runbook: what it means, what suffers, what to look at, and what to do.")
	for _, g := range groups {
		p.text("## %s", g.Name)
		var rows [][]string
		for _, r := range g.Rules {
			rows = append(rows, []string{fmt.Sprintf("[%s](../runbooks/%s.md)", r.Alert, r.Alert), r.Labels["severity"], r.For, r.Annotations["description"]})
		}
		p.table([]string{"alert", "severity", "after", "what it tells"}, rows)
	}
	return p.done()
}

// Expressions are those of the dashboard as a rules file, with something in place of Grafana's variables, for promtool to parse.
func Expressions() []byte {
	var out bytes.Buffer
	out.WriteString("groups:\n- name: dashboard\n  rules:\n")
	fill := strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*", "$name", ".*")
	n := 0
	all := dashboard.Expressions()
	for _, title := range slices.Sorted(maps.Keys(all)) {
		for _, expr := range all[title] {
			n++
			fmt.Fprintf(&out, "  # %s\n  - {record: 'dashboard:%d', expr: '%s'}\n", title, n, strings.ReplaceAll(fill.Replace(expr), "'", "''"))
		}
	}
	return out.Bytes()
}
