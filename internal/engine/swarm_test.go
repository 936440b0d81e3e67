package engine

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/plan"
)

var (
	seeds = flag.Int("seeds", 400, "how many random stories TestSwarm tells")
	seed  = flag.Uint64("seed", 0, "tell only this story, with its whole log")
)

// TestSwarm tells random stories: nodes come, go, fall silent and are tainted, Pods fail and vanish, users update and
// change their minds, calls are lost, refused or answered late, the controller is killed and restarted. After every write
// the promises below are checked; in the end the world is healed and must come to rest as the spec has it.
func TestSwarm(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	if testing.Short() && *seed == 0 {
		last = 50
	}
	for n := first; n <= last; n++ {
		s := newSwarm(t, n)
		s.live()
		if t.Failed() {
			t.Fatalf("seed %d: go test ./internal/engine -run TestSwarm -seed %d\n%s", n, n, strings.Join(s.w.log, "\n"))
		}
	}
}

// swarm is one random story about one DaemonSet.
type swarm struct {
	*story
	r       *rand.Rand
	removed map[string]bool // nodes whose available Pod this controller took, with none available since
	budget  int             // the largest maxUnavailable that was allowed while removed grew
	surge   bool            // surge was allowed at some time
	images  int
	faults  bool
}

func newSwarm(t *testing.T, n uint64) *swarm {
	r := rand.New(rand.NewPCG(n, 7))
	placement := plan.Direct
	if r.IntN(2) == 0 {
		placement = plan.Scheduler
	}
	s := &swarm{story: &story{t: t, w: newWorld(placement)}, r: r, removed: map[string]bool{}, faults: true}
	s.w.readyAfter = s.upTo(3)
	s.w.grace = s.upTo(3)
	s.w.fault = s.fault
	s.w.watchers = []func(){s.promises}
	s.w.onDelete = s.taken
	return s
}

func (s *swarm) upTo(seconds int) time.Duration {
	return time.Duration(1+s.r.IntN(seconds*10)) * 100 * time.Millisecond
}

func (s *swarm) live() {
	for i := range 2 + s.r.IntN(6) {
		s.node([]string{fmt.Sprintf("n%d", i), fmt.Sprintf("zone=z%d", i%2)})
	}
	s.update()
	for range 20 + s.r.IntN(40) {
		s.event()
		s.w.run(time.Duration(s.r.IntN(8000)) * time.Millisecond)
		if s.t.Failed() {
			return
		}
	}
	s.heal()
}

func (s *swarm) pick() string {
	nodes := sorted(s.w.nodes)
	if len(nodes) == 0 {
		return "n0"
	}
	return nodes[s.r.IntN(len(nodes))].Name
}

// event is one thing that happens to the cluster.
func (s *swarm) event() {
	node := s.pick()
	if s.w.nodes[node] == nil {
		s.node([]string{"n0"})
	}
	what := s.r.IntN(20)
	s.w.note("event %d on %s", what, node)
	switch what {
	case 0:
		s.node([]string{fmt.Sprintf("n%d", s.r.IntN(9)), "zone=z0"})
	case 1:
		s.w.removeNode(node)
	case 2:
		s.changeNode("taint", []string{node, "x:" + []string{"NoSchedule", "NoExecute", "PreferNoSchedule"}[s.r.IntN(3)]})
	case 3:
		s.changeNode("untaint", []string{node})
	case 4, 5:
		s.changePods("pod-delete", []string{"d", node})
	case 6:
		s.changePods("pod-phase", []string{"d", node, []string{"Failed", "Succeeded"}[s.r.IntN(2)]})
	case 7:
		s.changePods("pod-unready", []string{"d", node})
	case 8, 9, 10:
		s.update()
	case 11:
		s.w.mute[node] = !s.w.mute[node]
	case 12, 13:
		s.w.restart() // from a fresh read, as the barrier has it
	case 14:
		s.w.lag = time.Duration(s.r.IntN(5)) * time.Second
	case 15:
		s.w.quota = s.r.IntN(10)
	case 16:
		s.w.quota = -1
	case 17:
		s.w.rejecting[node] = !s.w.rejecting[node]
	case 18:
		s.changePods("pod-finalizer", []string{"d", node})
	case 19:
		s.recreate()
	}
}

// update changes the template, the strategy or both.
func (s *swarm) update() {
	if s.w.sets["d"] == nil {
		s.daemonSet("d", []string{"image=v0"})
	}
	ds := s.w.sets["d"].DeepCopy()
	if s.r.IntN(3) > 0 {
		s.images = (s.images + 1 + s.r.IntN(3)) % 5 // also back to an earlier one
		s.daemonSet("d", []string{fmt.Sprintf("image=v%d", s.images)})
		ds = s.w.sets["d"].DeepCopy()
	}
	if s.r.IntN(2) == 0 {
		r := ds.Spec.UpdateStrategy.RollingUpdate
		r.MaxSurge, r.MaxUnavailable = ptr.To(intstr.FromInt32(0)), ptr.To(intstr.FromInt32(int32(1+s.r.IntN(3))))
		if s.r.IntN(3) == 0 {
			r.MaxSurge, r.MaxUnavailable = r.MaxUnavailable, r.MaxSurge
			s.surge = true
		}
		ds.Spec.MinReadySeconds = int32(s.r.IntN(3) * 2)
		ds.Generation++
		s.w.changeSet(ds)
	}
	s.budget = max(s.budget, ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable.IntValue(), 1)
}

// recreate deletes the DaemonSet with its Pods and makes it anew, as a user does who is in a hurry.
func (s *swarm) recreate() {
	ds := s.w.sets["d"]
	if s.r.IntN(2) == 0 {
		s.orphan("d")
	} else {
		s.w.removeSet(ds)
		for _, p := range sorted(s.w.pods) {
			s.w.later(s.upTo(3), func() { s.w.terminateIf(p) })
		}
		for name := range s.w.revisions {
			r := s.w.revisions[name]
			delete(s.w.revisions, name)
			s.w.core.Fleet.DeleteRevision(keyOf(r), r.UID, s.w.version(r))
		}
	}
	s.w.run(s.upTo(2))
	s.removed = map[string]bool{}
	again := newDaemonSet("d")
	again.Spec = ds.Spec
	again.Generation = 1
	again.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "1"}
	s.w.changeSet(again)
}

// fault makes some calls fail, before or after they took effect.
func (s *swarm) fault(act.Call) (before, after error) {
	if !s.faults {
		return nil, nil
	}
	switch s.r.IntN(24) {
	case 0:
		return errors.New("connection refused"), nil
	case 1:
		return nil, errors.New("connection reset")
	}
	return nil, nil
}

// taken notes that the controller deletes a Pod that serves.
func (s *swarm) taken(p *corev1.Pod, why plan.Action) {
	ds := s.w.sets["d"]
	if ds == nil || !metav1.IsControlledBy(p, ds) {
		s.t.Errorf("%s: Pod %s of another owner is deleted: %s", s.w.clock(), p.Name, why.Reason)
	}
	switch why.Reason.Code {
	case "TemplateOutdated":
		s.removed[why.Node] = true
	}
}

// promises are checked after every write.
func (s *swarm) promises() {
	ds := s.w.sets["d"]
	if ds == nil {
		return
	}
	limit := 1
	if s.surge {
		limit = 2
	}
	for _, n := range sorted(s.w.nodes) {
		live := 0
		for _, p := range s.w.onNode("d", n.Name) {
			if !metav1.IsControlledBy(p, ds) || p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
				continue
			}
			if s.w.madeFor[p.UID] == ds.UID { // adopted ones may come on top
				live++
			}
			if isReady(p) {
				delete(s.removed, n.Name)
			}
		}
		if live > limit {
			s.t.Errorf("%s: %d live Pods on %s", s.w.clock(), live, n.Name)
		}
	}
	for node := range s.removed {
		if n := s.w.nodes[node]; n == nil || len(n.Spec.Taints) > 0 {
			delete(s.removed, node)
		}
	}
	if len(s.removed) > s.budget {
		s.t.Errorf("%s: %d serving Pods taken at once, allowed are %d: %v", s.w.clock(), len(s.removed), s.budget, s.removed)
	}
}

// heal ends all trouble and expects rest: the right Pods, a true status, and nothing written any more.
func (s *swarm) heal() {
	s.faults, s.w.lag, s.w.quota = false, 0, -1
	clear(s.w.mute)
	clear(s.w.rejecting)
	for _, p := range sorted(s.w.pods) {
		if len(p.Finalizers) > 0 {
			s.w.changePod(p, func(p *corev1.Pod) { p.Finalizers = nil })
			if q := s.w.pods[p.Name]; q != nil && q.DeletionTimestamp != nil {
				s.w.removePod(q)
			}
		}
	}
	s.w.run(10 * time.Second) // what lagged arrives
	s.w.kubelets()
	s.w.run(3 * time.Hour)
	s.expectRest()
}

func (s *swarm) expectRest() {
	ds := s.w.sets["d"]
	want := 0
	for _, n := range sorted(s.w.nodes) {
		wanted, kept := placement(n)
		pods := s.w.onNode("d", n.Name)
		switch {
		case wanted:
			want++
			if len(pods) != 1 || !isReady(pods[0]) || pods[0].Spec.Containers[0].Image != ds.Spec.Template.Spec.Containers[0].Image {
				s.t.Errorf("at rest %s has %s", n.Name, describe(pods))
			}
		case !kept && len(pods) > 0:
			s.t.Errorf("at rest %s must have no Pod and has %s", n.Name, describe(pods))
		}
	}
	c := ds.Status
	if int(c.DesiredNumberScheduled) != want || int(c.NumberAvailable) != want || int(c.UpdatedNumberScheduled) != want || c.ObservedGeneration != ds.Generation {
		s.t.Errorf("at rest with %d nodes and generation %d the status is %s", want, ds.Generation, statusText(ds))
	}
	s.expectSameView()
	writes, events := s.w.writes, len(s.w.events)
	s.w.run(24 * time.Hour)
	if s.w.writes != writes || len(s.w.events) != events {
		s.t.Errorf("at rest %d writes and %d events in a day", s.w.writes-writes, len(s.w.events)-events)
	}
}

// expectSameView compares what the controller believes with what there is.
func (s *swarm) expectSameView() {
	_, _, known, _ := s.w.core.Fleet.Sizes()
	if known != len(s.w.pods) {
		s.t.Errorf("the controller knows %d Pods, there are %d", known, len(s.w.pods))
	}
	for _, slot := range s.w.core.Fleet.Daemons()[0].Slots() {
		for _, p := range slot.Pods {
			if q := s.w.pods[p.Name]; q == nil || q.UID != p.UID || p.Creating || p.Ready != isReady(q) {
				s.t.Errorf("the controller believes of %s: %+v", slot.NodeName, *p)
			}
		}
	}
}

// placement says by the node's taints alone whether a Pod starts and stays there.
func placement(n *corev1.Node) (starts, stays bool) {
	starts, stays = true, true
	for _, t := range n.Spec.Taints {
		switch t.Effect {
		case corev1.TaintEffectNoExecute:
			starts, stays = false, false
		case corev1.TaintEffectNoSchedule:
			starts = false
		}
	}
	return starts, stays
}

func describe(pods []*corev1.Pod) string {
	out := fmt.Sprintf("%d Pods:", len(pods))
	for _, p := range pods {
		out += fmt.Sprintf(" %s(%s,%s,ready=%v,deleting=%v)", p.Name, p.Status.Phase, p.Spec.Containers[0].Image, isReady(p), p.DeletionTimestamp != nil)
	}
	return out
}
