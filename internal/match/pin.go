package match

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pin gives the affinity that lets the scheduler put a Pod on nodeName and nowhere else (U033–U036). All required node
// terms are replaced by one on metadata.name: alternatives beside it would widen the choice, and the user's own terms
// have been checked already (U035). What is only preferred, and Pod affinities, are kept; the result shares them with
// the input.
func Pin(affinity *corev1.Affinity, nodeName string) *corev1.Affinity {
	pinned := corev1.Affinity{}
	if affinity != nil {
		pinned = *affinity
	}
	node := corev1.NodeAffinity{}
	if pinned.NodeAffinity != nil {
		node = *pinned.NodeAffinity
	}
	node.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{
				Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{nodeName},
			}},
		}},
	}
	pinned.NodeAffinity = &node
	return &pinned
}

// Target is the node that a Pod is bound to or waits for: spec.nodeName (U041), or else the first required field
// metadata.name In with exactly one value (U039). A Pod without either has no node (U040).
func Target(spec *corev1.PodSpec) (node string, ok bool) {
	if spec.NodeName != "" {
		return spec.NodeName, true
	}
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil {
		return "", false
	}
	required := spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if required == nil {
		return "", false
	}
	for i := range required.NodeSelectorTerms {
		fields := required.NodeSelectorTerms[i].MatchFields
		for j := range fields {
			if f := &fields[j]; f.Key == metav1.ObjectNameField && f.Operator == corev1.NodeSelectorOpIn {
				if len(f.Values) != 1 {
					return "", false
				}
				return f.Values[0], true
			}
		}
	}
	return "", false
}
