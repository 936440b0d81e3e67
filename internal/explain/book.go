package explain

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/snapshot"
)

// Book is what answers about one DaemonSet are looked up in.
type Book struct {
	world   *snapshot.World
	daemon  *fleet.Daemon
	plan    plan.Plan
	runner  snapshot.Runner
	matcher *match.Matcher

	waits   map[string][]plan.Wait
	actions map[string][]plan.Action
	orphans map[string]*fleet.Pod
	strange map[string]*fleet.Pod // owned, and the selector does not match
	events  events
	lines   []Line // filled by all
}

// Open makes the plan and sorts it by node.
func Open(w *snapshot.World, d *fleet.Daemon) (*Book, error) {
	p, err := w.Plan(d)
	if err != nil {
		return nil, err
	}
	b := &Book{
		world: w, daemon: d, plan: p, runner: w.Runner(d), matcher: match.New(d.Object),
		waits: map[string][]plan.Wait{}, actions: map[string][]plan.Action{},
		orphans: map[string]*fleet.Pod{}, strange: map[string]*fleet.Pod{}, events: eventsOf(w, d),
	}
	for _, wait := range p.Waits {
		b.waits[wait.Node] = append(b.waits[wait.Node], wait)
	}
	for _, a := range p.Actions {
		if a.Node != "" {
			b.actions[a.Node] = append(b.actions[a.Node], a)
		}
	}
	for _, pod := range w.Fleet.Orphans(d) {
		b.orphans[pod.On] = pod
	}
	for _, pod := range d.Mismatched() {
		b.strange[pod.On] = pod
	}
	return b, nil
}

// minReady is spec.minReadySeconds.
func (b *Book) minReady() time.Duration {
	return time.Duration(b.daemon.Object.Spec.MinReadySeconds) * time.Second
}

// available tells whether a Pod has been Ready for minReadySeconds.
func (b *Book) available(p *fleet.Pod) bool {
	at, ok := p.AvailableAt(b.minReady())
	return ok && !at.After(b.world.Now)
}

// first is the Pod that stands for a slot: one that is not on its way out, or else any.
func first(s *fleet.Slot) *fleet.Pod {
	for _, p := range s.Pods {
		if !p.Leaving() {
			return p
		}
	}
	if len(s.Pods) > 0 {
		return s.Pods[0]
	}
	return nil
}

// record is what was read of a Pod; a Pod that only the controller knows of has none.
func (b *Book) record(p *fleet.Pod) *snapshot.Pod {
	if p == nil {
		return nil
	}
	return b.world.Pod(p.Key())
}

// outdated tells whether a Pod belongs to another revision than the current one.
func (b *Book) outdated(p *fleet.Pod) bool {
	return b.plan.Hash != "" && p.Hash() != b.plan.Hash
}

// template is the DaemonSet's Pod spec.
func (b *Book) template() *corev1.PodSpec { return &b.daemon.Object.Spec.Template.Spec }

// everynode tells that everynode's controller runs the DaemonSet.
func (b *Book) everynode() bool { return b.runner.By == snapshot.Everynode }
