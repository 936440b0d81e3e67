package metrics

import (
	"slices"
	"strings"
)

// Type is how a metric behaves.
type Type string

// The types.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Metric is the declaration of one metric: what docs/reference/metrics.md has of it, and what the registry is made of.
type Metric struct {
	Name   string
	Type   Type
	Help   string
	Labels []string
	// Buckets are a histogram's upper bounds.
	Buckets []float64
}

// byDaemonSet are the labels of what is told of each DaemonSet. Its series go with it.
var byDaemonSet = []string{"namespace", "name"}

// Whole-process metrics.
var (
	buildInfo = Metric{Name: "everynode_build_info", Type: Gauge, Labels: []string{"version"}, Help: "Always 1; the label tells the version."}
	leader    = Metric{Name: "everynode_leader", Type: Gauge, Help: "1 while this controller acts, 0 while it stands by."}
	synced    = Metric{Name: "everynode_synced", Type: Gauge, Help: "1 once this controller acts and has read all objects, so that it decides; 0 before."}
)

// What comes in.
var (
	facts      = Metric{Name: "everynode_facts", Type: Gauge, Labels: []string{"kind"}, Help: "Objects that the controller knows, by kind."}
	feedEvents = Metric{
		Name: "everynode_feed_events_total", Type: Counter, Labels: []string{"kind", "type"},
		Help: "Changes and whole lists that came from the API server, by kind of object and type of event.",
	}
	feedErrors = Metric{
		Name: "everynode_feed_errors_total", Type: Counter, Labels: []string{"kind"},
		Help: "Lists and watches that failed and were repeated with backoff, by kind of object; version stands for the first contact with the API server.",
	}
	feedLast = Metric{
		Name: "everynode_feed_last_event_timestamp_seconds", Type: Gauge, Labels: []string{"kind"},
		Help: "When something last came from the API server, by kind of object. Kubelets report each node every five minutes, so nodes are never silent for long.",
	}
	feedLag = Metric{
		Name: "everynode_feed_lag_seconds", Type: Histogram, Buckets: exponential(1e-4, 4),
		Help: "How long a change waited in this process until it was taken into account.",
	}
)

// What is decided, and what goes out.
var (
	planDuration = Metric{
		Name: "everynode_plan_duration_seconds", Type: Histogram, Buckets: exponential(1e-5, 4),
		Help: "How long one decision for one DaemonSet took.",
	}
	actions = Metric{
		Name: "everynode_actions_total", Type: Counter, Labels: []string{"action", "result"},
		Help: "What was done, by action (create, delete, status...) and by what became of it (done, refused, busy, conflict...).",
	}
	actionDuration = Metric{
		Name: "everynode_action_duration_seconds", Type: Histogram, Labels: []string{"action"}, Buckets: exponential(1e-3, 3),
		Help: "How long an action took until its outcome was known; it may take several requests.",
	}
	nodeToPod = Metric{
		Name: "everynode_node_to_pod_seconds", Type: Histogram, Buckets: exponential(1e-2, 3),
		Help: "How long it took from when a node was first seen until a daemon's Pod for it was made.",
	}
	eventsSent = Metric{
		Name: "everynode_events_sent_total", Type: Counter, Labels: []string{"type", "reason"},
		Help: "Events about DaemonSets that were sent, by type and reason.",
	}
	requests = Metric{
		Name: "everynode_api_requests_total", Type: Counter, Labels: []string{"verb", "code"},
		Help: "Requests to the API server, by verb (get stands for list too) and HTTP status; code is error where none came.",
	}
	requestDuration = Metric{
		Name: "everynode_api_request_duration_seconds", Type: Histogram, Labels: []string{"verb"}, Buckets: exponential(1e-3, 3),
		Help: "How long the API server took to begin its answer; that of a watch goes on for minutes after that.",
	}
)

// What each DaemonSet looks like.
var (
	desired      = Metric{Name: "everynode_daemonset_desired_nodes", Type: Gauge, Labels: byDaemonSet, Help: "Nodes that should run the daemon."}
	current      = Metric{Name: "everynode_daemonset_current_nodes", Type: Gauge, Labels: byDaemonSet, Help: "Nodes that should run the daemon and have a Pod of it."}
	ready        = Metric{Name: "everynode_daemonset_ready_nodes", Type: Gauge, Labels: byDaemonSet, Help: "Nodes that should run the daemon and have a Ready Pod of it."}
	available    = Metric{Name: "everynode_daemonset_available_nodes", Type: Gauge, Labels: byDaemonSet, Help: "Nodes that should run the daemon and have a Pod of it that has been Ready for minReadySeconds."}
	updated      = Metric{Name: "everynode_daemonset_updated_nodes", Type: Gauge, Labels: byDaemonSet, Help: "Nodes that should run the daemon and have a Pod of its current revision."}
	misplaced    = Metric{Name: "everynode_daemonset_misscheduled_nodes", Type: Gauge, Labels: byDaemonSet, Help: "Nodes that should not run the daemon and have a Pod of it."}
	waitingNodes = Metric{
		Name: "everynode_daemonset_waiting_nodes", Type: Gauge, Labels: with("reason"),
		Help: "Nodes that are not as they should be and are left so for now, by reason (reasons.md).",
	}
	conditions = Metric{
		Name: "everynode_daemonset_condition", Type: Gauge, Labels: with("condition", "reason"),
		Help: "1 where the DaemonSet's condition is True, 0 where it is not (conditions.md).",
	}
)

// All are everynode's metrics, by name. Those of the Go runtime and the process (go_, process_) come on top.
func All() []Metric {
	all := []Metric{
		buildInfo, leader, synced, facts, feedEvents, feedErrors, feedLast, feedLag, planDuration, actions, actionDuration, nodeToPod,
		eventsSent, requests, requestDuration, desired, current, ready, available, updated, misplaced, waitingNodes, conditions,
	}
	slices.SortFunc(all, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Series are the names under which a metric is found in queries.
func (m Metric) Series() []string {
	if m.Type == Histogram {
		return []string{m.Name, m.Name + "_bucket", m.Name + "_sum", m.Name + "_count"}
	}
	return []string{m.Name}
}

func with(labels ...string) []string { return append(slices.Clone(byDaemonSet), labels...) }

// exponential are ten bounds, each that many times the one before.
func exponential(first, factor float64) []float64 {
	out := make([]float64, 10)
	for i := range out {
		out[i] = first
		first *= factor
	}
	return out
}
