package match

import (
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// FuzzToleration compares with the API types' own helper, its feature gate off.
func FuzzToleration(f *testing.F) {
	f.Add("k", "Equal", "v", "NoSchedule", "k", "v", "NoSchedule")
	f.Add("", "Exists", "", "", "k", "v", "NoExecute")
	f.Add("level", "Gt", "5", "", "level", "9", "NoSchedule")
	f.Fuzz(func(t *testing.T, key, op, value, effect, taintKey, taintValue, taintEffect string) {
		tol := corev1.Toleration{Key: key, Operator: corev1.TolerationOperator(op), Value: value, Effect: corev1.TaintEffect(effect)}
		taint := corev1.Taint{Key: taintKey, Value: taintValue, Effect: corev1.TaintEffect(taintEffect)}
		if got, want := tolerates(&tol, &taint), tol.ToleratesTaint(logr.Discard(), &taint, false); got != want {
			t.Errorf("tolerates(%+v, %+v) = %v, want %v", tol, taint, got, want)
		}
	})
}

// FuzzRequirement compares one requirement, of a label or a field, with the scheduler's helper.
func FuzzRequirement(f *testing.F) {
	f.Add("zone", "In", "a,b", "a", "n1", false)
	f.Add("zone", "NotIn", "a", "b", "n1", false)
	f.Add("disks", "Gt", "2", "10", "n1", false)
	f.Add("metadata.name", "In", "n1", "", "n1", true)
	f.Fuzz(func(t *testing.T, key, op, values, label, nodeName string, field bool) {
		r := corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOperator(op)}
		if values != "" {
			r.Values = strings.Split(values, ",")
		}
		term := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}}
		if field {
			term = corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{r}}
		}
		spec := &corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: required(term),
		}}}
		n := &fleet.Node{Name: nodeName, Labels: map[string]string{"zone": label, "disks": label}}
		if got, want := New(daemonSet(spec)).Verdict(n), expected(spec, n); got.Decision != want {
			t.Errorf("%+v: got %v (%v), want %v", term, got.Decision, got.Reason, want)
		}
	})
}
