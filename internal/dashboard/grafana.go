package dashboard

import (
	"encoding/json"
	"fmt"
)

// The part of Grafana's model that is used here. Field names are Grafana's.
type (
	object map[string]any

	// row is a heading with panels below it.
	row struct {
		title  string
		panels []panel
	}

	// panel is one picture.
	panel struct {
		kind, title, about string
		unit               string
		width, height      int
		queries            []query
		options            object
		custom             object
	}

	// query is a PromQL expression with the name of its lines.
	query struct{ expr, legend string }
)

// Columns of Grafana's grid, and the height of a heading in it.
const (
	columns   = 24
	rowHeight = 1
)

// lay puts rows and panels on the grid, from left to right and top to bottom, and numbers them.
func lay(rows []row) []object {
	var out []object
	id, y := 0, 0
	next := func() int { id++; return id }
	for _, r := range rows {
		out = append(out, object{
			"id": next(), "type": "row", "title": r.title, "collapsed": false, "panels": []object{},
			"gridPos": object{"x": 0, "y": y, "w": columns, "h": rowHeight},
		})
		y += rowHeight
		x, height := 0, 0
		for _, p := range r.panels {
			if x+p.width > columns {
				x, y, height = 0, y+height, 0
			}
			out = append(out, p.object(next(), x, y))
			x, height = x+p.width, max(height, p.height)
		}
		y += height
	}
	return out
}

func source() object { return object{"type": "prometheus", "uid": "${datasource}"} }

func (p panel) object(id, x, y int) object {
	var targets []object
	for i, q := range p.queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": source(), "expr": q.expr, "legendFormat": q.legend,
			"range": p.kind != "table" && p.kind != "stat", "instant": p.kind == "table" || p.kind == "stat",
		})
		if p.kind == "table" {
			targets[i]["format"] = "table"
		}
	}
	defaults := object{"unit": p.unit, "min": 0}
	if p.custom != nil {
		defaults["custom"] = p.custom
	}
	out := object{
		"id": id, "type": p.kind, "title": p.title, "description": p.about, "datasource": source(), "targets": targets,
		"gridPos": object{"x": x, "y": y, "w": p.width, "h": p.height}, "fieldConfig": object{"defaults": defaults, "overrides": []object{}},
	}
	if p.options != nil {
		out["options"] = p.options
	}
	if p.kind == "table" {
		out["transformations"] = tableOf(p.queries)
	}
	return out
}

// tableOf joins a table's queries into one row for each DaemonSet; a query's legend is the heading of its column.
func tableOf(queries []query) []object {
	names, order := object{"namespace": "Namespace", "name": "DaemonSet"}, object{"namespace": 0, "name": 1}
	for i, q := range queries {
		value := fmt.Sprintf("Value #%c", 'A'+i)
		names[value], order[value] = q.legend, i+2
	}
	return []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": object{"Time": true}, "renameByName": names, "indexByName": order}},
	}
}

// variable is a choice at the top, filled from a query.
func variable(name, label, expr string) object {
	return object{
		"name": name, "label": label, "type": "query", "datasource": source(), "definition": expr, "query": object{"query": expr, "refId": name},
		"refresh": 2, "includeAll": true, "multi": true, "allValue": ".*", "current": object{"text": "All", "value": "$__all"}, "sort": 1,
	}
}

// JSON is the dashboard as Grafana imports it.
func JSON() ([]byte, error) {
	board := object{
		"uid": "everynode", "title": "everynode", "tags": []string{"everynode", "kubernetes"}, "editable": true, "schemaVersion": 39,
		"description": "DaemonSets and the controller that keeps them. Made by internal/dashboard.",
		"refresh":     "30s", "time": object{"from": "now-3h", "to": "now"}, "timezone": "browser", "graphTooltip": 1,
		"templating": object{"list": []object{
			{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1},
			variable("namespace", "Namespace", "label_values(everynode_daemonset_desired_nodes, namespace)"),
			variable("name", "DaemonSet", `label_values(everynode_daemonset_desired_nodes{namespace=~"$namespace"}, name)`),
		}},
		"panels": lay(rows()),
	}
	out, err := json.MarshalIndent(board, "", "  ")
	return append(out, '\n'), err
}

// Expressions are all PromQL expressions of the dashboard, by the title of their panel.
func Expressions() map[string][]string {
	out := map[string][]string{}
	for _, r := range rows() {
		for _, p := range r.panels {
			for _, q := range p.queries {
				out[p.title] = append(out[p.title], q.expr)
			}
		}
	}
	return out
}
