package match

import (
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	schedulingcorev1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/everynode/everynode/internal/fleet"
)

// The fuzz targets take text in which every string means something, so that most mutations give another case:
//
//	terms        term|term        requirement&requirement     [@]key operator value,value     @ marks a field
//	labels       key=value;key=value
//	taints       key=value:effect;…
//	tolerations  key operator value effect;…

func split(text, sep string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, sep)
}

// cut gives exactly n parts; those that are missing are empty.
func cut(text, sep string, n int) []string {
	parts := strings.SplitN(text, sep, n)
	return append(parts, make([]string, n-len(parts))...)
}

func termsOf(text string) []corev1.NodeSelectorTerm {
	var terms []corev1.NodeSelectorTerm
	for _, t := range split(text, "|") {
		var term corev1.NodeSelectorTerm
		for _, r := range split(t, "&") {
			key, field := strings.CutPrefix(r, "@")
			parts := cut(key, " ", 3)
			req := corev1.NodeSelectorRequirement{
				Key: parts[0], Operator: corev1.NodeSelectorOperator(parts[1]), Values: split(parts[2], ","),
			}
			if field {
				term.MatchFields = append(term.MatchFields, req)
			} else {
				term.MatchExpressions = append(term.MatchExpressions, req)
			}
		}
		terms = append(terms, term)
	}
	return terms
}

// affinityOf has no required terms at all for "-", and none in the list for "".
func affinityOf(text string) *corev1.Affinity {
	if text == "-" {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required(termsOf(text)...)}}
}

func labelsOf(text string) map[string]string {
	set := map[string]string{}
	for _, l := range split(text, ";") {
		parts := cut(l, "=", 2)
		set[parts[0]] = parts[1]
	}
	return set
}

func taintsOf(text string) []corev1.Taint {
	var out []corev1.Taint
	for _, t := range split(text, ";") {
		parts := cut(t, ":", 2)
		pair := cut(parts[0], "=", 2)
		out = append(out, corev1.Taint{Key: pair[0], Value: pair[1], Effect: corev1.TaintEffect(parts[1])})
	}
	return out
}

func tolerationsOf(text string) []corev1.Toleration {
	var out []corev1.Toleration
	for _, t := range split(text, ";") {
		parts := cut(t, " ", 4)
		out = append(out, corev1.Toleration{
			Key: parts[0], Operator: corev1.TolerationOperator(parts[1]), Value: parts[2], Effect: corev1.TaintEffect(parts[3]),
		})
	}
	return out
}

func nodeOfText(name, labels, taints string) (*fleet.Node, *corev1.Node) {
	n := &fleet.Node{Name: name, Labels: labelsOf(labels), Taints: taintsOf(taints)}
	return n, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels}, Spec: corev1.NodeSpec{Taints: n.Taints},
	}
}

// judged asks the scheduler's helpers three questions, as upstream's controller does: the name, the affinity, the taints.
func judged(spec *corev1.PodSpec, tolerations []corev1.Toleration, node *corev1.Node) fleet.Decision {
	fits, err := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity).Match(node)
	if !fits || err != nil || (spec.NodeName != "" && spec.NodeName != node.Name) {
		return fleet.Leave
	}
	untolerated := func(effect corev1.TaintEffect) bool {
		_, found := schedulingcorev1.FindMatchingUntoleratedTaint(logr.Discard(), node.Spec.Taints, tolerations,
			func(t *corev1.Taint) bool { return t.Effect == effect }, false)
		return found
	}
	switch {
	case untolerated(corev1.TaintEffectNoExecute):
		return fleet.Leave
	case untolerated(corev1.TaintEffectNoSchedule):
		return fleet.Keep
	default:
		return fleet.Run
	}
}
