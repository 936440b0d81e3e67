package match

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func required(terms ...corev1.NodeSelectorTerm) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: terms}
}

func named(names ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{
		{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: names},
	}}
}

func zoned(zones ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: zones},
	}}
}

func TestPin(t *testing.T) {
	pods, antiPods := &corev1.PodAffinity{}, &corev1.PodAntiAffinity{}
	preferred := []corev1.PreferredSchedulingTerm{{Weight: 7, Preference: zoned("a")}}
	node := func(n *corev1.NodeAffinity) *corev1.Affinity {
		return &corev1.Affinity{NodeAffinity: n, PodAffinity: pods, PodAntiAffinity: antiPods}
	}
	for name, test := range map[string]struct{ in, want *corev1.Affinity }{
		"no affinity": {nil, &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required(named("n1"))}}},
		"no node affinity": {
			node(nil),
			node(&corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required(named("n1"))}),
		},
		"only preferred": {
			node(&corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: preferred}),
			node(&corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: required(named("n1")), PreferredDuringSchedulingIgnoredDuringExecution: preferred,
			}),
		},
		"all terms are replaced": {
			node(&corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required(zoned("a"), named("n2"), zoned("b"))}),
			node(&corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required(named("n1"))}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := test.in.DeepCopy()
			if diff := cmp.Diff(test.want, Pin(test.in, "n1")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, test.in); diff != "" {
				t.Errorf("input modified: %s", diff)
			}
		})
	}
}

func TestTarget(t *testing.T) {
	affinity := func(terms ...corev1.NodeSelectorTerm) *corev1.Affinity {
		return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required(terms...)}}
	}
	notIn := named("n1")
	notIn.MatchFields[0].Operator = corev1.NodeSelectorOpNotIn
	for name, test := range map[string]struct {
		spec corev1.PodSpec
		want string
		ok   bool
	}{
		"bound":                     {corev1.PodSpec{NodeName: "n1"}, "n1", true},
		"bound wins":                {corev1.PodSpec{NodeName: "n1", Affinity: affinity(named("n2"))}, "n1", true},
		"pinned":                    {corev1.PodSpec{Affinity: affinity(named("n2"))}, "n2", true},
		"pinned in the second term": {corev1.PodSpec{Affinity: affinity(zoned("a"), named("n2"), named("n3"))}, "n2", true},
		"first of two is ambiguous": {corev1.PodSpec{Affinity: affinity(named("n1", "n2"), named("n3"))}, "", false},
		"not in":                    {corev1.PodSpec{Affinity: affinity(notIn)}, "", false},
		"no field":                  {corev1.PodSpec{Affinity: affinity(zoned("a"))}, "", false},
		"no terms":                  {corev1.PodSpec{Affinity: affinity()}, "", false},
		"no required":               {corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}}, "", false},
		"no node affinity":          {corev1.PodSpec{Affinity: &corev1.Affinity{}}, "", false},
		"nothing":                   {corev1.PodSpec{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := Target(&test.spec); got != test.want || ok != test.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, test.want, test.ok)
			}
		})
	}
}
