package simworld

import (
	"testing"
	"time"

	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// TestADayAtRest lets a settled cluster live for a day: heartbeats every ten seconds, fresh lists every hour, restarts and
// changes of leader. Nothing is asked of the API server, and nothing is told.
func TestADayAtRest(t *testing.T) {
	for _, replicas := range []int{1, 2} {
		w := NewWorld(Schedule{Seed: uint64(replicas), Setup: Setup{
			Placement: plan.Direct, Nodes: 5, Daemons: 2, Replicas: replicas, ReadyAfter: time.Second, Grace: time.Second, MinReady: 5,
		}}, false)
		w.begin()
		w.run(w.now.Add(5 * time.Minute))
		if w.Stats.Writes == 0 {
			t.Fatal("nothing was written to settle")
		}
		w.sound.healed()
		requests, events, leaders := w.Stats.Requests, w.events, w.lease.holder
		for i := range 24 * 360 {
			w.later(time.Duration(i)*10*time.Second, w.heartbeat)
		}
		for hour := range 24 {
			w.later(time.Duration(hour)*time.Hour, func() { w.disturbRest(hour) })
		}
		w.run(w.now.Add(24 * time.Hour))
		if len(w.Found) == 0 {
			w.sound.converged()
		}
		for _, v := range w.Found {
			t.Errorf("%d replicas: %s", replicas, v)
		}
		if w.Stats.Requests != requests || w.events != events {
			t.Errorf("%d replicas: %d requests and %d events in a day at rest", replicas, w.Stats.Requests-requests, w.events-events)
		}
		if replicas == 2 && w.lease.holder == leaders {
			t.Error("the leader never changed")
		}
		t.Logf("%d replicas: %d commits by others, 0 requests and 0 events by everynode", replicas, w.Stats.Commits)
		w.close()
	}
}

func (w *World) heartbeat() {
	for _, n := range w.nodes() {
		next := n.DeepCopy()
		next.Status.Conditions[0].LastHeartbeatTime.Time = w.now
		w.must(w.API.UpdateNode("kubelet", next))
	}
}

// disturbRest is what happens to a controller once an hour without anything having changed.
func (w *World) disturbRest(hour int) {
	r := w.replicas[hour%len(w.replicas)]
	switch hour % 4 {
	case 0:
		w.API.Compact(w.API.Version())
		for _, x := range r.watches {
			x.drop(time.Second)
		}
	case 1:
		r.crash("at rest", w.dice.of(forStep, hour))
	case 2:
		r.stand(time.Minute, w.dice)
	default:
		w.setLag(apimodel.Pods, time.Duration(hour)*100*time.Millisecond)
	}
}
