package simworld

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// How long a healed world may take to come to rest, and how long it is then watched. The longest backoff of a failed Pod is
// a quarter of an hour.
const (
	healing = 40 * time.Minute
	resting = time.Hour
)

// Play lets a schedule happen: its steps, then healing, then rest. It ends at the first violation.
func Play(s Schedule, verbose bool) *World {
	w := NewWorld(s, verbose)
	w.begin()
	at := epoch
	for _, step := range s.Steps {
		at = at.Add(step.After)
		w.agenda.book(at, func() { w.take(step) })
	}
	w.run(at.Add(5 * time.Second))
	w.heal()
	w.rest()
	w.close()
	return w
}

// begin makes nodes, DaemonSets and controllers.
func (w *World) begin() {
	for i := range w.Setup.Nodes {
		w.join(fmt.Sprintf("n%d", i), w.dice.of(forSetup, i))
	}
	for i := range w.Setup.Daemons {
		w.create(i)
	}
	w.begun = true
	for _, r := range w.replicas {
		if w.elected() {
			if w.Setup.Warm {
				r.standBy()
			}
			r.lease.tick()
		} else {
			r.start()
		}
	}
}

// heal ends all trouble. Where an update could never succeed the user makes a good one.
func (w *World) heal() {
	w.trace("step", "heal", "", "", 0)
	w.faults, w.downUntil, w.stampShift = 0, time.Time{}, 0
	w.admission.lift()
	for _, k := range apimodel.Kinds {
		w.setLag(k, 10*time.Millisecond)
	}
	for _, r := range w.replicas {
		r.slow = 0
	}
	clear(w.kubelets.rejecting)
	clear(w.kubelets.skew)
	for _, node := range sortedKeys(w.kubelets.mute) {
		w.kubelets.silence(node, false)
	}
	for _, p := range w.pods() {
		w.release(p)
		if !hopeless(p) {
			w.kubelets.setReady(p.Namespace, p.Name, p.UID, true)
		}
	}
	for _, ds := range w.sets() {
		if image := ds.Spec.Template.Spec.Containers[0].Image; strings.HasPrefix(image, "bad") || strings.HasPrefix(image, "flaky") {
			next := ds.DeepCopy()
			next.Spec.Template.Spec.Containers[0].Image = "v9"
			w.must(w.API.UpdateDaemonSet("user", next))
		}
	}
	w.untaint()
	w.later(time.Minute, w.sound.healed) // until then a watch may have been down, and the view be of the past
	w.later(2*time.Minute, w.replaceByHand)
	w.run(w.now.Add(healing))
	if len(w.Found) == 0 {
		w.sound.converged()
	}
}

// untaint takes off the taints where a scheduler binds: it leaves a Pod pending that was made for a node just before its taint
// was seen, and such a Pod counts against the budget, upstream's too, until the taint goes or somebody deletes it.
func (w *World) untaint() {
	for _, n := range w.nodes() {
		if w.Setup.Placement == plan.Scheduler && len(n.Spec.Taints) > 0 {
			next := n.DeepCopy()
			next.Spec.Taints = nil
			w.must(w.API.UpdateNode("user", next))
		}
	}
}

// replaceByHand is what OnDelete expects of a user: to delete the Pods that can never run.
func (w *World) replaceByHand() {
	for _, p := range w.pods() {
		if live(p) && hopeless(p) {
			if err := w.API.DeletePod("user", p.Namespace, p.Name, metav1.DeleteOptions{}); err != nil {
				panic(err)
			}
		}
	}
}

// hopeless tells that a Pod will never run well.
func hopeless(p *corev1.Pod) bool {
	image := p.Spec.Containers[0].Image
	return strings.HasPrefix(image, "bad") || strings.HasPrefix(image, "flaky")
}

// rest watches a world in which nothing happens: heartbeats, fresh lists, a restart or a change of leader.
func (w *World) rest() {
	requests, events := w.Stats.Requests, w.events
	for i := range 4 {
		w.later(time.Duration(i)*resting/4, func() {
			for _, n := range w.nodes() {
				next := n.DeepCopy()
				next.Status.Conditions[0].LastHeartbeatTime.Time = w.now
				w.must(w.API.UpdateNode("kubelet", next))
			}
			if i == 1 {
				w.API.Compact(w.API.Version())
				for _, r := range w.replicas {
					for _, x := range r.watches {
						x.drop(time.Second)
					}
				}
			}
			if i == 2 {
				w.replicas[0].crash("at rest", w.dice)
			}
		})
	}
	w.run(w.now.Add(resting))
	w.holds(Silence, w.Stats.Requests == requests && w.events == events, func() string {
		return fmt.Sprintf("%d requests and %d events at rest", w.Stats.Requests-requests, w.events-events)
	})
	if len(w.Found) == 0 {
		w.sound.converged()
	}
}

// close ends the coroutines that are left.
func (w *World) close() {
	for _, r := range w.replicas {
		r.die("end")
	}
}

// Transcript is the run in words; empty unless it was asked for.
func (w *World) Transcript() string { return strings.Join(w.lines, "\n") }
