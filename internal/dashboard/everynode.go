package dashboard

import "fmt"

// rows are what the dashboard shows, the most asked first.
func rows() []row {
	return []row{
		{"At a glance", glance()},
		{"DaemonSets", daemonSets()},
		{"What everynode does", deeds()},
		{"What it lives on", supply()},
	}
}

func glance() []panel {
	stat := func(title, about, expr string) panel {
		return panel{
			kind: "stat", title: title, about: about, unit: "short", width: 4, height: 4, queries: []query{{expr, ""}},
			options: object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "colorMode": "none", "graphMode": "area"},
		}
	}
	return []panel{
		stat("Acting controllers", "One. None: nothing is done. Two: one of them runs without the election.", "sum(everynode_leader)"),
		stat("Nodes", "Nodes that the acting controller knows.", `max(everynode_facts{kind="nodes"})`),
		stat("DaemonSets", "DaemonSets that the acting controller knows.", `max(everynode_facts{kind="daemonsets"})`),
		stat("Missing daemons", "Pairs of a node and a DaemonSet that should run there, without an available Pod.",
			"sum(everynode_daemonset_desired_nodes) - sum(everynode_daemonset_available_nodes)"),
		stat("Rollouts under way", "DaemonSets with nodes that have not got the current revision.",
			"count(everynode_daemonset_updated_nodes < everynode_daemonset_desired_nodes) or vector(0)"),
		stat("Rollouts that stand still", "DaemonSets whose condition Progressing is False; those that wait for their user (OnDelete) are not counted.",
			`count(everynode_daemonset_condition{condition="Progressing",reason!="UpdateOnDelete"} == 0) or vector(0)`),
	}
}

// chosen is the filter that the choices at the top make.
const chosen = `namespace=~"$namespace",name=~"$name"`

func daemonSets() []panel {
	column := func(metric, heading string) query {
		return query{fmt.Sprintf("max by (namespace, name) (%s{%s})", metric, chosen), heading}
	}
	ratio := func(title, about, metric string) panel {
		return lines(title, about, "percentunit", 12, query{
			fmt.Sprintf("max by (namespace, name) (%s{%s}) / max by (namespace, name) (everynode_daemonset_desired_nodes{%s} > 0)", metric, chosen, chosen),
			"{{namespace}}/{{name}}",
		})
	}
	return []panel{
		{
			kind: "table", title: "DaemonSets", about: "As in kubectl get ds.", unit: "short", width: 24, height: 9, queries: []query{
				column("everynode_daemonset_desired_nodes", "Desired"), column("everynode_daemonset_current_nodes", "Current"),
				column("everynode_daemonset_ready_nodes", "Ready"), column("everynode_daemonset_updated_nodes", "Up to date"),
				column("everynode_daemonset_available_nodes", "Available"), column("everynode_daemonset_misscheduled_nodes", "Misscheduled"),
			},
		},
		ratio("Rollout progress", "Part of the nodes that have the current revision.", "everynode_daemonset_updated_nodes"),
		ratio("Available", "Part of the nodes with an available Pod.", "everynode_daemonset_available_nodes"),
		stacked("Nodes that wait, by reason", "docs/reference/reasons.md says what each reason means, and what to do.", 12,
			query{fmt.Sprintf("sum by (reason) (everynode_daemonset_waiting_nodes{%s})", chosen), "{{reason}}"}),
		{
			kind: "state-timeline", title: "Rollouts, by what holds them up", about: "One line for each DaemonSet and reason: 1 while it moves or is complete, 0 while it stands still.",
			unit: "short", width: 12, height: 8, options: object{"showValue": "never", "mergeValues": true},
			queries: []query{{fmt.Sprintf(`max by (namespace, name, reason) (everynode_daemonset_condition{condition="Progressing",%s})`, chosen), "{{namespace}}/{{name}} {{reason}}"}},
		},
	}
}

func deeds() []panel {
	return []panel{
		lines("Actions", "Done, by action.", "ops", 8, query{`sum by (action) (rate(everynode_actions_total{result="done"}[$__rate_interval]))`, "{{action}}"}),
		lines("Actions that were not done", "By action and by what became of them; all are tried again or planned anew.", "ops", 8,
			query{`sum by (action, result) (rate(everynode_actions_total{result!="done"}[$__rate_interval]))`, "{{action}} {{result}}"}),
		lines("Warnings sent", "Events about DaemonSets, by reason.", "ops", 8, query{`sum by (reason) (rate(everynode_events_sent_total{type="Warning"}[$__rate_interval]))`, "{{reason}}"}),
		quantiles("Node to Pod", "From when a node is first seen until a daemon's Pod for it is made.", "everynode_node_to_pod_seconds", "30m"),
		quantiles("Actions take", "Until their outcome is known.", "everynode_action_duration_seconds", "$__rate_interval"),
		quantiles("Decisions take", "One decision for one DaemonSet.", "everynode_plan_duration_seconds", "$__rate_interval"),
	}
}

func supply() []panel {
	return []panel{
		lines("Requests to the API server", "By verb and code.", "reqps", 8, query{"sum by (verb, code) (rate(everynode_api_requests_total[$__rate_interval]))", "{{verb}} {{code}}"}),
		lines("Requests take", "The 99th percentile until the answer begins, by verb.", "s", 8, query{
			`histogram_quantile(0.99, sum by (le, verb) (rate(everynode_api_request_duration_seconds_bucket{verb!="watch"}[$__rate_interval])))`, "{{verb}}",
		}),
		lines("Changes that come in", "By kind.", "ops", 8, query{"sum by (kind) (rate(everynode_feed_events_total[$__rate_interval]))", "{{kind}}"}),
		quantiles("Changes wait", "From when a change comes until it is taken into account.", "everynode_feed_lag_seconds", "$__rate_interval"),
		lines("Failed reads", "Lists and watches that failed, by kind.", "ops", 8, query{"sum by (kind) (rate(everynode_feed_errors_total[$__rate_interval]))", "{{kind}}"}),
		lines("Silence", "Since when nothing came, by kind and replica. Nodes are never silent for more than five minutes.", "s", 8,
			query{"time() - everynode_feed_last_event_timestamp_seconds", "{{kind}} {{instance}}"}),
		lines("Memory", "Of each replica.", "bytes", 8, query{"process_resident_memory_bytes and on (instance) everynode_build_info", "{{instance}}"}),
		lines("CPU", "Of each replica.", "short", 8, query{"rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) everynode_build_info", "{{instance}}"}),
		lines("Facts", "Objects that the acting controller knows, by kind.", "short", 8, query{"max by (kind) (everynode_facts)", "{{kind}}"}),
	}
}

func lines(title, about, unit string, width int, queries ...query) panel {
	return panel{
		kind: "timeseries", title: title, about: about, unit: unit, width: width, height: 8, queries: queries,
		custom: object{"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"},
		options: object{
			"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": object{"mode": "multi", "sort": "desc"},
		},
	}
}

func stacked(title, about string, width int, q query) panel {
	p := lines(title, about, "short", width, q)
	p.custom["stacking"] = object{"mode": "normal", "group": "A"}
	p.custom["fillOpacity"] = 40
	return p
}

func quantiles(title, about, histogram, window string) panel {
	of := func(q string) query {
		return query{fmt.Sprintf("histogram_quantile(%s, sum by (le) (rate(%s_bucket[%s])))", q, histogram, window), "p" + q[2:]}
	}
	return lines(title, about, "s", 8, of("0.50"), of("0.95"), of("0.99"))
}
