package metrics

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
)

// DaemonSet is what is told of one DaemonSet.
type DaemonSet struct {
	Namespace, Name string
	// Nodes, as in the DaemonSet's status.
	Desired, Current, Ready, Available, Updated, Misscheduled int32
	// Waiting is how many nodes wait, by reason.
	Waiting map[string]int
	// Conditions are those that the DaemonSet has, by type.
	Conditions map[string]Condition
}

// Condition is one of a DaemonSet's conditions.
type Condition struct {
	True   bool
	Reason string
}

// row is a DaemonSet by UID: one that was deleted and made anew takes the place of its namesake.
type row struct {
	uid string
	DaemonSet
}

type rowKey struct{ namespace, name string }

// DaemonSet sets what is told of the DaemonSet with this UID.
func (s *Set) DaemonSet(uid string, d DaemonSet) {
	if s == nil {
		return
	}
	d.Waiting, d.Conditions = maps.Clone(d.Waiting), maps.Clone(d.Conditions)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[rowKey{d.Namespace, d.Name}] = row{uid, d}
}

// Forget ends the series of a DaemonSet that is gone.
func (s *Set) Forget(uid string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.rows, func(_ rowKey, r row) bool { return r.uid == uid })
}

// fleetCollector makes the series of DaemonSets when they are asked for, so that none outlives its DaemonSet or its reason.
type fleetCollector struct {
	set   *Set
	descs map[string]*prometheus.Desc
}

func newFleetCollector(s *Set) fleetCollector {
	c := fleetCollector{set: s, descs: map[string]*prometheus.Desc{}}
	for _, m := range []Metric{desired, current, ready, available, updated, misplaced, waitingNodes, conditions} {
		c.descs[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	return c
}

// Describe makes it a prometheus.Collector, as Collect does.
func (c fleetCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect gives the series of each DaemonSet.
func (c fleetCollector) Collect(out chan<- prometheus.Metric) {
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	for key, d := range c.set.rows {
		send := func(m Metric, value float64, more ...string) {
			out <- prometheus.MustNewConstMetric(c.descs[m.Name], prometheus.GaugeValue, value, append([]string{key.namespace, key.name}, more...)...)
		}
		send(desired, float64(d.Desired))
		send(current, float64(d.Current))
		send(ready, float64(d.Ready))
		send(available, float64(d.Available))
		send(updated, float64(d.Updated))
		send(misplaced, float64(d.Misscheduled))
		for reason, n := range d.Waiting {
			send(waitingNodes, float64(n), reason)
		}
		for kind, cond := range d.Conditions {
			send(conditions, number(cond.True), kind, cond.Reason)
		}
	}
}
