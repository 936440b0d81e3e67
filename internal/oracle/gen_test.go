package oracle

import (
	"flag"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
)

// TestMain asks for thousands of checks, and for no files about failures: what is printed is enough to repeat one. The command
// line still wins.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "5000", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// Few words, so that what is asked for and what is there often meet; some are not valid.
var (
	words     = rapid.SampledFrom([]string{"", "a", "b", "1", "2", "10", "-3", "x y", "9223372036854775808"})
	keys      = rapid.SampledFrom([]string{"zone", "disk", "example.com/n", "", "bad key", "metadata.name"})
	nodeNames = rapid.SampledFrom([]string{"n1", "n2", "n3"})
	effects   = rapid.SampledFrom([]corev1.TaintEffect{
		"", corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule, "Other",
	})
	taintKeys = rapid.SampledFrom([]string{
		"k", "j", corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeDiskPressure, corev1.TaintNodeMemoryPressure,
		corev1.TaintNodePIDPressure, corev1.TaintNodeUnschedulable, corev1.TaintNodeNetworkUnavailable, corev1.TaintNodeOutOfService,
	})
)

var labelRequirements = rapid.Custom(func(t *rapid.T) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{
		Key:      keys.Draw(t, "key"),
		Operator: rapid.SampledFrom([]corev1.NodeSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "", "Like"}).Draw(t, "operator"),
		Values:   rapid.SliceOfN(words, 0, 3).Draw(t, "values"),
	}
})

var fieldRequirements = rapid.Custom(func(t *rapid.T) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{
		Key:      rapid.SampledFrom([]string{"metadata.name", "metadata.name", "spec.x"}).Draw(t, "key"),
		Operator: rapid.SampledFrom([]corev1.NodeSelectorOperator{"In", "In", "NotIn", "NotIn", "Exists"}).Draw(t, "operator"),
		Values:   rapid.SliceOfN(rapid.OneOf(nodeNames, rapid.Just("")), 0, 2).Draw(t, "values"),
	}
})

var terms = rapid.Custom(func(t *rapid.T) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{
		MatchExpressions: rapid.SliceOfN(labelRequirements, 0, 2).Draw(t, "expressions"),
		MatchFields:      rapid.SliceOfN(fieldRequirements, 0, 2).Draw(t, "fields"),
	}
})

var affinities = rapid.Custom(func(t *rapid.T) *corev1.Affinity {
	a := &corev1.Affinity{}
	switch rapid.IntRange(0, 5).Draw(t, "affinity") {
	case 0:
		return nil
	case 1:
	case 2:
		a.NodeAffinity = &corev1.NodeAffinity{}
	default:
		a.NodeAffinity = &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: rapid.SliceOfN(terms, 0, 3).Draw(t, "terms"),
		}}
	}
	if rapid.Bool().Draw(t, "pod affinity") {
		a.PodAntiAffinity = &corev1.PodAntiAffinity{}
	}
	if a.NodeAffinity != nil && rapid.Bool().Draw(t, "preferred") {
		a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.PreferredSchedulingTerm{
			{Weight: 1, Preference: terms.Draw(t, "preference")},
		}
	}
	return a
})

// tolerations are often those that the controller adds itself, with seconds or without.
var tolerations = rapid.Custom(func(t *rapid.T) corev1.Toleration {
	tol := corev1.Toleration{
		Key: rapid.OneOf(taintKeys, rapid.Just("")).Draw(t, "key"), Effect: effects.Draw(t, "effect"),
		Operator: rapid.SampledFrom([]corev1.TolerationOperator{"Exists", "Exists", "Equal", "", "Gt", "Lt", "Like"}).Draw(t, "operator"),
		Value:    rapid.OneOf(rapid.Just(""), words).Draw(t, "value"),
	}
	if rapid.Bool().Draw(t, "for a while") {
		tol.TolerationSeconds = new(int64)
	}
	return tol
})

var taints = rapid.Custom(func(t *rapid.T) corev1.Taint {
	return corev1.Taint{
		Key: taintKeys.Draw(t, "key"), Value: rapid.OneOf(rapid.Just(""), words).Draw(t, "value"), Effect: effects.Draw(t, "effect"),
	}
})

var specs = rapid.Custom(func(t *rapid.T) *corev1.PodSpec {
	return &corev1.PodSpec{
		NodeName:     rapid.SampledFrom([]string{"", "", "", "n1"}).Draw(t, "nodeName"),
		NodeSelector: rapid.MapOfN(keys, words, 0, 1).Draw(t, "nodeSelector"),
		Affinity:     affinities.Draw(t, "affinity"),
		Tolerations:  rapid.SliceOfN(tolerations, 0, 3).Draw(t, "tolerations"),
		HostNetwork:  rapid.Bool().Draw(t, "hostNetwork"),
	}
})
