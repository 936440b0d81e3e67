package metrics

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Set is the metrics of one controller.
type Set struct {
	registry   *prometheus.Registry
	events     *prometheus.CounterVec
	feedErrors *prometheus.CounterVec
	plans      prometheus.Histogram
	actions    *prometheus.CounterVec
	took       *prometheus.HistogramVec
	facts      *prometheus.GaugeVec
	leader     prometheus.Gauge
	nodeToPod  prometheus.Histogram
	waiting    *prometheus.GaugeVec

	mu sync.Mutex
	// waits are the numbers that each DaemonSet has added to waiting.
	waits map[string]map[string]int
}

// New makes a Set on a registry of its own, with Go's and the process's metrics beside it.
func New(version string) *Set {
	s := &Set{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "everynode_feed_events_total", Help: "Changes and whole lists that came from the API server, by kind of object and type of event.",
		}, []string{"kind", "type"}),
		feedErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "everynode_feed_errors_total", Help: "Lists and watches that failed and were repeated with backoff, by kind of object; version stands for the first contact with the API server.",
		}, []string{"kind"}),
		plans: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "everynode_plan_duration_seconds", Help: "How long one decision for one DaemonSet took.",
			Buckets: prometheus.ExponentialBuckets(1e-5, 4, 10),
		}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "everynode_actions_total", Help: "Calls to the API server, by action and by what became of them.",
		}, []string{"action", "result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "everynode_action_duration_seconds", Help: "How long a call to the API server took until its outcome was known.",
			Buckets: prometheus.ExponentialBuckets(1e-3, 3, 10),
		}, []string{"action"}),
		facts: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "everynode_facts", Help: "Objects that the controller knows, by kind.",
		}, []string{"kind"}),
		leader: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "everynode_leader", Help: "1 while this controller acts, 0 while it stands by.",
		}),
		nodeToPod: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "everynode_node_to_pod_seconds", Help: "How long it took from when a node was first seen until a daemon's Pod for it was made.",
			Buckets: prometheus.ExponentialBuckets(1e-2, 3, 10),
		}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "everynode_slots_waiting", Help: "Slots, one for each DaemonSet and node, that are not as they should be and are left so for now, by reason.",
		}, []string{"reason"}),
		waits: map[string]map[string]int{},
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "everynode_build_info", Help: "Always 1; the label tells the version.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	s.registry.MustRegister(s.events, s.feedErrors, s.plans, s.actions, s.took, s.facts, s.leader,
		s.nodeToPod, s.waiting, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// Handler serves the metrics in the Prometheus format.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{})
}

// FeedEvent counts an event that came in.
func (s *Set) FeedEvent(kind, event string) {
	if s != nil {
		s.events.WithLabelValues(kind, event).Inc()
	}
}

// FeedError counts a list or watch that failed.
func (s *Set) FeedError(kind string) {
	if s != nil {
		s.feedErrors.WithLabelValues(kind).Inc()
	}
}

// Planned notes how long a decision took.
func (s *Set) Planned(took time.Duration) {
	if s != nil {
		s.plans.Observe(took.Seconds())
	}
}

// Action counts a call and notes how long it took.
func (s *Set) Action(action, result string, took time.Duration) {
	if s != nil {
		s.actions.WithLabelValues(action, result).Inc()
		s.took.WithLabelValues(action).Observe(took.Seconds())
	}
}

// Facts sets how many objects of a kind are known.
func (s *Set) Facts(kind string, n int) {
	if s != nil {
		s.facts.WithLabelValues(kind).Set(float64(n))
	}
}

// Leading tells whether this controller acts.
func (s *Set) Leading(yes bool) {
	if s == nil {
		return
	}
	s.leader.Set(0)
	if yes {
		s.leader.Set(1)
	}
}

// NodeToPod notes how long a node that joined was without a daemon's Pod.
func (s *Set) NodeToPod(took time.Duration) {
	if s != nil {
		s.nodeToPod.Observe(took.Seconds())
	}
}

// Waiting sets how many slots of one DaemonSet wait, by reason. None, or nil, forgets the DaemonSet.
func (s *Set) Waiting(daemonSet string, byReason map[string]int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for reason, n := range s.waits[daemonSet] {
		s.waiting.WithLabelValues(reason).Sub(float64(n))
	}
	for reason, n := range byReason {
		s.waiting.WithLabelValues(reason).Add(float64(n))
	}
	s.waits[daemonSet] = maps.Clone(byReason)
	if len(byReason) == 0 {
		delete(s.waits, daemonSet)
	}
}
