package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Set is the metrics of one controller.
type Set struct {
	registry                                          *prometheus.Registry
	feedEvents, feedErrors, actions, events, requests *prometheus.CounterVec
	facts, feedLast                                   *prometheus.GaugeVec
	leader, synced                                    prometheus.Gauge
	feedLag, plans, nodeToPod                         prometheus.Observer
	actionDuration, requestDuration                   *prometheus.HistogramVec

	mu sync.Mutex
	// rows are what is told of each DaemonSet.
	rows map[rowKey]row
}

// New makes a Set on a registry of its own, with Go's and the process's metrics beside it.
func New(version string) *Set {
	s := &Set{registry: prometheus.NewRegistry(), rows: map[rowKey]row{}}
	s.gauge(buildInfo).WithLabelValues(version).Set(1)
	s.leader, s.synced = s.gauge(leader).WithLabelValues(), s.gauge(synced).WithLabelValues()
	s.facts, s.feedLast = s.gauge(facts), s.gauge(feedLast)
	s.feedEvents, s.feedErrors = s.counter(feedEvents), s.counter(feedErrors)
	s.actions, s.events, s.requests = s.counter(actions), s.counter(eventsSent), s.counter(requests)
	s.feedLag, s.plans = s.histogram(feedLag).WithLabelValues(), s.histogram(planDuration).WithLabelValues()
	s.nodeToPod = s.histogram(nodeToPod).WithLabelValues()
	s.actionDuration, s.requestDuration = s.histogram(actionDuration), s.histogram(requestDuration)
	s.registry.MustRegister(newFleetCollector(s), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

func (s *Set) gauge(m Metric) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, m.Labels)
	s.registry.MustRegister(v)
	return v
}

func (s *Set) counter(m Metric) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
	s.registry.MustRegister(v)
	return v
}

// histogram makes one with the declared buckets, and native ones for a Prometheus that asks for them.
func (s *Set) histogram(m Metric) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: m.Name, Help: m.Help, Buckets: m.Buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, m.Labels)
	s.registry.MustRegister(v)
	return v
}

// Handler serves the metrics in the Prometheus format.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{})
}

// FeedEvent counts an event that came in.
func (s *Set) FeedEvent(kind, event string) {
	if s != nil {
		s.feedEvents.WithLabelValues(kind, event).Inc()
		s.feedLast.WithLabelValues(kind).SetToCurrentTime()
	}
}

// FeedError counts a list or watch that failed.
func (s *Set) FeedError(kind string) {
	if s != nil {
		s.feedErrors.WithLabelValues(kind).Inc()
	}
}

// FeedLag notes how long an event waited until it was taken in.
func (s *Set) FeedLag(waited time.Duration) {
	if s != nil {
		s.feedLag.Observe(waited.Seconds())
	}
}

// Planned notes how long a decision took.
func (s *Set) Planned(took time.Duration) {
	if s != nil {
		s.plans.Observe(took.Seconds())
	}
}

// Action counts an action and notes how long it took.
func (s *Set) Action(action, result string, took time.Duration) {
	if s != nil {
		s.actions.WithLabelValues(action, result).Inc()
		s.actionDuration.WithLabelValues(action).Observe(took.Seconds())
	}
}

// EventSent counts an event about a DaemonSet.
func (s *Set) EventSent(kind, reason string) {
	if s != nil {
		s.events.WithLabelValues(kind, reason).Inc()
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
	if s != nil {
		s.leader.Set(number(yes))
	}
}

// Synced tells whether this controller has read everything, and decides.
func (s *Set) Synced(yes bool) {
	if s != nil {
		s.synced.Set(number(yes))
	}
}

// NodeToPod notes how long a node that joined was without a daemon's Pod.
func (s *Set) NodeToPod(took time.Duration) {
	if s != nil {
		s.nodeToPod.Observe(took.Seconds())
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
