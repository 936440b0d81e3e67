package oracle

import (
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/controller/daemon"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// Placement, U001–U019. What makes a node unready, cordoned or full without a taint is drawn too, to be ignored (U007).
func TestVerdict(t *testing.T) {
	counts := map[fleet.Decision]int{}
	rapid.Check(t, func(t *rapid.T) {
		ds := &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: *specs.Draw(t, "spec")}}}
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: nodeNames.Draw(t, "name"), Labels: rapid.MapOfN(keys, words, 0, 4).Draw(t, "labels")},
			Spec: corev1.NodeSpec{
				Taints:        rapid.SliceOfN(taints, 0, 3).Draw(t, "taints"),
				Unschedulable: rapid.Bool().Draw(t, "unschedulable"),
			},
		}
		if rapid.Bool().Draw(t, "not ready") {
			node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse}}
		}
		run, stay := daemon.NodeShouldRunDaemonPod(logr.Discard(), node, ds)
		got := match.New(ds).Verdict(fleet.NewNode(node, 1))
		counts[got.Decision]++
		if got.ShouldRun() != run || got.MayStay() != stay {
			t.Fatalf("%v (%v), upstream says run %v, stay %v", got.Decision, got.Reason, run, stay)
		}
	})
	for _, d := range []fleet.Decision{fleet.Leave, fleet.Keep, fleet.Run} {
		if counts[d] < 20 {
			t.Errorf("only %d inputs led to %v", counts[d], d)
		}
	}
}

// U020–U030.
func TestTolerations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := specs.Draw(t, "spec")
		if rapid.Bool().Draw(t, "usual") { // meet the automatic ones more often
			for i := range spec.Tolerations {
				spec.Tolerations[i].Operator, spec.Tolerations[i].Value = corev1.TolerationOpExists, ""
			}
		}
		before, theirs := spec.DeepCopy(), spec.DeepCopy()
		daemonutil.AddOrUpdateDaemonPodTolerations(theirs)
		if diff := cmp.Diff(theirs.Tolerations, match.Tolerations(spec)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(before, spec); diff != "" {
			t.Fatalf("input modified: %s", diff)
		}
	})
}

// U033–U036.
func TestPin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		affinity, node := affinities.Draw(t, "affinity"), nodeNames.Draw(t, "node")
		before := affinity.DeepCopy()
		theirs := daemonutil.ReplaceDaemonSetPodNodeNameNodeAffinity(affinity.DeepCopy(), node)
		if diff := cmp.Diff(theirs, match.Pin(affinity, node)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(before, affinity); diff != "" {
			t.Fatalf("input modified: %s", diff)
		}
	})
}

// U039–U041.
func TestTarget(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		pod := &corev1.Pod{Spec: *specs.Draw(t, "spec")}
		theirs, err := daemonutil.GetTargetNodeName(pod)
		got, ok := match.Target(&pod.Spec)
		if got != theirs || ok != (err == nil) {
			t.Fatalf("got %q, %v, upstream %q, %v", got, ok, theirs, err)
		}
		if ok && pod.Spec.NodeName == "" {
			found++
		}
	})
	if found < 20 {
		t.Errorf("only %d inputs had a target by affinity", found)
	}
}
