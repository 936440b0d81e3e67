package reference

import (
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/report"
)

func reasons() []byte {
	p := newPage("Reasons", "internal/fleet/reason_text.go and internal/report/reason_text.go")
	p.text("Whatever everynode does or leaves undone for a node has one of these reasons. The same words are in its explanations, events, conditions and metrics. Most come with a detail: the very taint, label, port or number that decided.")
	for _, part := range []struct {
		use          fleet.Use
		title, intro string
	}{
		{fleet.ForVerdict, "Should this daemon run on this node?", "The verdict on a node, from its name, labels and taints alone."},
		{fleet.ForAction, "Why something is done", "Each Pod that is made, deleted or changed has one."},
		{fleet.ForWait, "Why a node waits", "A node that is not as it should be, and is left so for now. `everynode_daemonset_waiting_nodes` counts them."},
	} {
		p.text("## %s", part.title)
		p.text("%s", part.intro)
		var rows [][]string
		for _, t := range fleet.CodeTexts {
			if t.Use == part.use {
				rows = append(rows, []string{code(string(t.Code)), t.Meaning, t.ToDo})
			}
		}
		p.table([]string{"reason", "meaning", "what to do"}, rows)
	}
	p.text("## Events")
	p.text("Events about a DaemonSet, from the source `everynode`. A state that lasts is told once in ten minutes, not on every look.")
	var rows [][]string
	for _, t := range report.EventTexts {
		rows = append(rows, []string{code(t.Reason), t.Type, t.Meaning, t.ToDo})
	}
	p.table([]string{"reason", "type", "meaning", "what to do"}, rows)
	return p.done()
}

func conditions() []byte {
	p := newPage("Conditions", "internal/report/reason_text.go")
	p.text("everynode keeps two conditions on the status of each apps/v1 DaemonSet. The built-in controller keeps none. They have the meaning that Deployments give them, with nodes in place of replicas:")
	var rows [][]string
	for _, t := range report.ConditionTexts() {
		rows = append(rows, []string{code(string(t.Type)), string(t.Status), code(t.Reason), t.Meaning})
	}
	p.table([]string{"condition", "status", "reason", "meaning"}, rows)
	p.text("## To use them")
	p.text("```\nkubectl -n monitoring wait --for=condition=Available ds/node-exporter --timeout=5m\n" +
		"kubectl -n monitoring wait --for=condition=Progressing=False ds/node-exporter     # until the rollout stands still\n" +
		"kubectl -n monitoring wait --for=jsonpath='{.status.conditions[?(@.type==\"Progressing\")].reason}'=RolloutComplete ds/node-exporter\n" +
		"kubectl get ds -A -o custom-columns='NS:.metadata.namespace,NAME:.metadata.name,AVAILABLE:.status.conditions[?(@.type==\"Available\")].status,PROGRESSING:.status.conditions[?(@.type==\"Progressing\")].reason'\n```")
	p.text("## Rules")
	p.text("%s", `- A condition is as of `+"`status.observedGeneration`"+`. After a change wait for that first, as `+"`kubectl rollout status`"+` does.
- `+"`lastTransitionTime`"+` moves with the status alone, not with the reason.
- Conditions are written together with the numbers. Of their own a write is worth only another status or reason; a message is brought up to date with the next write. Nothing is written at rest.
- A standstill that was told stays told, with its reason, until a node is updated or becomes available, or the DaemonSet is changed. Retries, restarts of the controller, and nodes that join or leave change nothing about it.
- The deadline of ten minutes is the default of a Deployment's `+"`progressDeadlineSeconds`"+`; a DaemonSet has no field for it. The event `+"`RolloutStalled`"+` comes sooner, after one minute.
- With OnDelete no node may be without, as there is no `+"`maxUnavailable`"+`.
- Conditions of other types are left alone. Who replaces the whole list gets these two beside their own.
- kstatus (Flux, Helm, kpt), Argo CD and `+"`kubectl rollout status`"+` judge a DaemonSet by its numbers, and see no difference.`)
	p.text("## Back to the built-in controller")
	p.text("It leaves conditions as they are, so these two would stay as they were for ever. Remove them once everynode is off; this removes those of others too:")
	p.text("```\nkubectl -n NAMESPACE patch ds NAME --subresource=status --type=merge -p '{\"status\":{\"conditions\":null}}'\n```")
	return p.done()
}
