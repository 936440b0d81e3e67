package match

import (
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/fleet"
)

func daemonSet(spec *corev1.PodSpec) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: *spec}}}
}

// expected says the same with the helpers of the scheduler and of the API types.
func expected(spec *corev1.PodSpec, n *fleet.Node) fleet.Decision {
	if spec.NodeName != "" && spec.NodeName != n.Name {
		return fleet.Leave
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels}}
	if fits, _ := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity).Match(node); !fits {
		return fleet.Leave
	}
	decision := fleet.Run
	for i := range n.Taints {
		taint, tolerated := &n.Taints[i], false
		for _, tol := range Tolerations(spec) {
			tolerated = tolerated || tol.ToleratesTaint(logr.Discard(), taint, false)
		}
		switch {
		case tolerated:
		case taint.Effect == corev1.TaintEffectNoExecute:
			return fleet.Leave
		case taint.Effect == corev1.TaintEffectNoSchedule:
			decision = fleet.Keep
		}
	}
	return decision
}

func TestVerdictEqualsHelpers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, n := specs.Draw(t, "spec"), nodes.Draw(t, "node")
		if got, want := New(daemonSet(spec)).Verdict(n), expected(spec, n); got.Decision != want {
			t.Fatalf("got %v (%v), want %v", got.Decision, got.Reason, want)
		}
	})
}

// decide reads the verdict off the checks alone.
func decide(checks []Check) (fleet.Decision, map[fleet.Code]bool) {
	failed := map[fleet.Code]bool{}
	terms, matching := 0, 0
	for _, c := range checks {
		switch {
		case c.Kind == NodeAffinity:
			terms++
			if c.Pass {
				matching++
			}
		case !c.Pass:
			failed[c.Code] = true
		}
	}
	if terms > 0 && matching == 0 {
		failed[fleet.NodeAffinityMismatch] = true
	}
	switch {
	case len(failed) == 0:
		return fleet.Run, map[fleet.Code]bool{fleet.Fits: true}
	case len(failed) == 1 && failed[fleet.TaintNoSchedule]:
		return fleet.Keep, failed
	default:
		return fleet.Leave, failed
	}
}

func TestVerdictAgreesWithChecks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, n := specs.Draw(t, "spec"), nodes.Draw(t, "node")
		m := New(daemonSet(spec))
		v, checks := m.Verdict(n), m.Checks(n)
		decision, codes := decide(checks)
		if v.Decision != decision || !codes[v.Reason.Code] {
			t.Fatalf("verdict %v (%v), the checks say %v for %v:\n%+v", v.Decision, v.Reason, decision, codes, checks)
		}
		if v.ShouldRun() == (v.Reason.Detail != "") {
			t.Fatalf("%v has the detail %q", v.Decision, v.Reason.Detail)
		}
	})
}

// The same input gives the same text, whatever the order of maps, and nothing that is given is modified.
func TestPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, n := specs.Draw(t, "spec"), nodes.Draw(t, "node")
		name := nodeNames.Draw(t, "pin")
		specBefore, nodeBefore := spec.DeepCopy(), *n
		nodeBefore.Taints = append([]corev1.Taint(nil), n.Taints...)
		first, checks := New(daemonSet(spec)).Verdict(n), New(daemonSet(spec)).Checks(n)
		Tolerations(spec)
		pinned := Pin(spec.Affinity, name)
		for range 3 {
			m := New(daemonSet(spec.DeepCopy()))
			if again := m.Verdict(n); again != first {
				t.Fatalf("first %v, then %v", first, again)
			}
			if diff := cmp.Diff(checks, m.Checks(n)); diff != "" {
				t.Fatal(diff)
			}
		}
		if diff := cmp.Diff(specBefore, spec); diff != "" {
			t.Fatalf("spec modified: %s", diff)
		}
		if diff := cmp.Diff(nodeBefore.Taints, n.Taints); len(n.Taints) > 0 && diff != "" {
			t.Fatalf("node modified: %s", diff)
		}
		if got, ok := Target(&corev1.PodSpec{Affinity: pinned}); got != name || !ok {
			t.Fatalf("pinned to %s, target is %q, %v", name, got, ok)
		}
	})
}

func TestFitsAllocatesNothing(t *testing.T) {
	spec := &corev1.PodSpec{
		NodeSelector: map[string]string{"os": "linux"},
		Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{
				{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disks", Operator: "Gt", Values: []string{"4"}}}},
				{
					MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "zone", Operator: "In", Values: []string{"b", "a"}}},
					MatchFields:      []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "NotIn", Values: []string{"n2"}}},
				},
			}},
		}},
	}
	n := &fleet.Node{
		Name: "n1", Labels: map[string]string{"os": "linux", "zone": "a", "disks": "2"},
		Taints: []corev1.Taint{{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}},
	}
	m := New(daemonSet(spec))
	if got := testing.AllocsPerRun(100, func() {
		if v := m.Verdict(n); v.Decision != fleet.Run {
			t.Fatal(v)
		}
	}); got != 0 {
		t.Errorf("%v allocations for Fits, want none", got)
	}
	n.Taints = append(n.Taints, corev1.Taint{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule})
	if got := testing.AllocsPerRun(100, func() { m.Verdict(n) }); got > 1 {
		t.Errorf("%v allocations for a refusal, want one text", got)
	}
}
