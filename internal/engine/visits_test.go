package engine

import (
	"fmt"
	"maps"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
)

// still is a cluster of n nodes in which a DaemonSet's Pods are all Ready.
type still struct {
	*Core
	t     *testing.T
	ds    *appsv1.DaemonSet
	now   time.Time
	rv    fleet.Version
	calls []act.Call
}

func settle(t *testing.T, n int) *still {
	budget := intstr.FromString("10%")
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d", UID: "uid-d", Generation: 1}}
	ds.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "d"}}
	ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &budget}}
	ds.Spec.Template.Labels = map[string]string{"app": "d"}
	ds.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: "i:1"}}
	s := &still{t: t, ds: ds, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	s.Core = NewCore(plan.Direct, func(*appsv1.DaemonSet, report.Event, time.Time) {}, mute{})
	for i := range n {
		s.node(i, nil)
	}
	s.Fleet.ApplyDaemon(ds, s.version(), false, s.now)
	s.history()
	for i := range n {
		s.pod(i, true)
	}
	s.step()
	s.Answer(act.Answer{Call: s.calls[0], Outcome: act.Done, DaemonSet: s.written()}, s.now)
	s.step()
	return s
}

type mute struct{}

func (mute) Planned(plan.Plan, *plan.Book, time.Duration) {}
func (mute) Answered(act.Answer)                          {}
func (mute) Forgotten(types.UID)                          {}
func (mute) Joined(time.Duration)                         {}

func (s *still) version() fleet.Version { s.rv++; return s.rv }

func (s *still) history() {
	h, err := revision.Reconcile(s.ds, s.Fleet.Revisions(s.daemon()), "")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range h.Changes {
		r := c.Revision.DeepCopy()
		r.UID = types.UID(r.Name)
		s.Fleet.ApplyRevision(r, s.version())
	}
}

func (s *still) daemon() *fleet.Daemon {
	return s.Fleet.Daemon(types.NamespacedName{Namespace: "default", Name: "d"})
}

func (s *still) node(i int, taints []corev1.Taint, labels ...string) {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%05d", i), UID: types.UID(fmt.Sprint("n", i)), Labels: map[string]string{}}}
	for _, l := range labels {
		n.Labels[l] = "x"
	}
	n.Spec.Taints = taints
	s.Fleet.ApplyNode(fleet.NewNode(n, s.version()), s.now)
}

func (s *still) pod(i int, ready bool) *fleet.Pod {
	hash := ""
	for _, r := range s.Fleet.Revisions(s.daemon()) {
		hash = r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	}
	p := &fleet.Pod{
		Name: fmt.Sprint("d-", i), UID: types.UID(fmt.Sprint("p", i)), Version: s.version(), On: fmt.Sprintf("n%05d", i), Bound: true,
		Phase: fleet.PhaseRunning, Ready: ready,
		Shape: &fleet.Shape{Namespace: "default", Owner: "uid-d", OwnerKind: fleet.DaemonSetKind, OwnerName: "d", Labels: map[string]string{"app": "d", appsv1.DefaultDaemonSetUniqueLabelKey: hash}},
	}
	s.Fleet.ApplyPod(p, s.now)
	return p
}

// written is the DaemonSet as a status write leaves it.
func (s *still) written() *appsv1.DaemonSet {
	out := s.ds.DeepCopy()
	out.ResourceVersion = fmt.Sprint(s.version())
	for _, c := range s.calls {
		if c.Status != nil {
			out.Status = *c.Status
		}
	}
	s.ds = out
	return out
}

// step decides, and gives how many slots were looked at for it.
func (s *still) step() uint64 {
	before := s.looks()
	s.calls = s.Step(s.now, func() time.Time { return s.now })
	return s.looks() - before
}

func (s *still) looks() (n uint64) {
	for _, k := range s.desks {
		n += k.book.Looks()
	}
	return n
}

// visits plays a day's events one by one.
func visits(t *testing.T, nodes int) map[string]uint64 {
	s := settle(t, nodes)
	got := map[string]uint64{}
	s.pod(7, false)
	got["a Pod is not Ready any more"] = s.step()
	s.pod(7, true)
	got["it is Ready again"] = s.step()
	s.node(7, nil)
	got["a heartbeat"] = s.step()
	s.node(7, nil, "irrelevant")
	got["a label that nobody looks at"] = s.step()
	s.node(7, []corev1.Taint{{Key: "k", Effect: corev1.TaintEffectNoSchedule}})
	got["a taint"] = s.step()
	s.node(7, nil)
	got["no taint"] = s.step()
	s.Fleet.DeletePod(s.pod(7, true))
	got["a Pod is gone"] = s.step()
	if len(s.calls) == 0 || s.calls[0].Action.Kind != plan.Create {
		t.Fatalf("%d nodes: no Pod is made", nodes)
	}
	s.Answer(act.Answer{Call: s.calls[0], Outcome: act.Busy}, s.now)
	got["its create fails"] = s.step()
	s.node(nodes, nil)
	got["a node joins"] = s.step()
	s.Fleet.DeleteNode(fmt.Sprintf("n%05d", nodes), s.version(), s.now)
	got["it leaves"] = s.step()
	s.now = s.now.Add(time.Hour)
	got["an hour passes"] = s.step()
	return got
}

// TestWorkPerEventIsConstant: what an event costs does not grow with the number of nodes.
func TestWorkPerEventIsConstant(t *testing.T) {
	few, many := visits(t, 1000), visits(t, 10000)
	if !maps.Equal(few, many) {
		t.Errorf("slots looked at with 1,000 nodes: %v\nwith 10,000 nodes: %v", few, many)
	}
	for event, n := range few {
		if n > 2 {
			t.Errorf("%s: %d slots are looked at", event, n)
		}
	}
	t.Log(many)
}

// TestARolloutLooksAtEachNodeAFewTimes: only a new template looks at all nodes at once.
func TestARolloutLooksAtEachNodeAFewTimes(t *testing.T) {
	const nodes = 2000
	s := settle(t, nodes)
	s.ds = s.ds.DeepCopy()
	s.ds.Generation, s.ds.Spec.Template.Spec.Containers[0].Image = 2, "i:2"
	s.Fleet.ApplyDaemon(s.ds, s.version(), false, s.now)
	s.history()
	for _, r := range s.Fleet.Revisions(s.daemon()) {
		s.daemon().Approved = r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	}
	if first := s.step(); first != nodes {
		t.Errorf("a new template: %d slots are looked at, want %d", first, nodes)
	}
	var rest uint64
	pods := map[string]bool{}
	for len(s.calls) > 0 {
		for _, c := range s.calls {
			a := act.Answer{Call: c, Outcome: act.Done}
			switch {
			case c.Status != nil:
				a.DaemonSet = s.written()
			case c.Action.Kind == plan.Delete:
				s.Fleet.DeletePod(&fleet.Pod{Name: c.Action.Pod.Name, UID: c.Action.Pod.UID, Version: s.version(), Shape: c.Action.Pod.Shape})
			case c.Action.Kind == plan.Create:
				a.Pod = plan.NewPod(s.ds, c.Hash, c.Action.Node, c.Action.Name, plan.Direct)
				a.Pod.UID, a.Pod.ResourceVersion, a.Pod.Status.Phase = types.UID(c.Action.Name), fmt.Sprint(s.version()), corev1.PodRunning
				pods[c.Action.Node] = true
			}
			s.Answer(a, s.now)
			if a.Pod != nil {
				a.Pod.ResourceVersion = fmt.Sprint(s.version())
				a.Pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Time{Time: s.now}}}
				s.Fleet.ApplyPod(fleet.NewPod(a.Pod, s.version(), ""), s.now)
			}
		}
		s.now = s.now.Add(time.Second)
		rest += s.step()
	}
	if len(pods) != nodes {
		t.Errorf("%d of %d nodes have been updated", len(pods), nodes)
	}
	if rest > 4*nodes {
		t.Errorf("%d looks at %d slots", rest, nodes)
	}
}
