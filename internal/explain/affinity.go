package explain

import (
	"fmt"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// judge asks the matcher about a template that has only this in it, so that there is one opinion on what matches.
func judge(spec corev1.PodSpec, n *fleet.Node) bool {
	ds := &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: spec}}}
	return match.New(ds).Verdict(n).ShouldRun()
}

// tolerates tells whether the template tolerates one taint.
func (b *Book) tolerates(t *corev1.Taint) bool {
	only := corev1.PodSpec{Tolerations: b.template().Tolerations, HostNetwork: b.template().HostNetwork}
	return judge(only, &fleet.Node{Name: "node", Taints: []corev1.Taint{*t}})
}

// admitAffinity gives the changes that the term needs that lacks least.
func (b *Book) admitAffinity(n *fleet.Node) []string {
	a := b.template().Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	bare := &fleet.Node{Name: n.Name, Labels: n.Labels}
	if judge(corev1.PodSpec{Affinity: a}, bare) {
		return nil
	}
	var best []string
	for i := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		term := &a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[i]
		changes := lacking(term, bare)
		if len(changes) > 0 && (best == nil || len(changes) < len(best)) {
			best = changes
		}
	}
	if best == nil {
		best = []string{"give spec.template.spec.affinity.nodeAffinity a term that this node matches"}
	}
	return best
}

// lacking gives a change for each requirement of a term that the node does not meet.
func lacking(term *corev1.NodeSelectorTerm, n *fleet.Node) []string {
	var out []string
	alone := func(t corev1.NodeSelectorTerm) bool {
		return judge(corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{t}},
		}}}, n)
	}
	for i := range term.MatchExpressions {
		r := term.MatchExpressions[i]
		if !alone(corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}}) {
			out = append(out, meet(&r, n))
		}
	}
	for i := range term.MatchFields {
		r := term.MatchFields[i]
		if !alone(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{r}}) {
			out = append(out, fmt.Sprintf("change the term %s %s [%s], which is about the node's name", r.Key, r.Operator, strings.Join(r.Values, " ")))
		}
	}
	return out
}

// meet says how the node could meet a requirement.
func meet(r *corev1.NodeSelectorRequirement, n *fleet.Node) string {
	if r.Key == metav1.ObjectNameField {
		return "change the term on " + r.Key
	}
	switch r.Operator {
	case corev1.NodeSelectorOpIn:
		if len(r.Values) > 0 {
			return labelNode(n, r.Key, r.Values[0])
		}
	case corev1.NodeSelectorOpExists:
		return labelNode(n, r.Key, "")
	case corev1.NodeSelectorOpNotIn, corev1.NodeSelectorOpDoesNotExist:
		return fmt.Sprintf("kubectl label node %s %s-", n.Name, r.Key)
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		if len(r.Values) == 1 {
			if bound, err := strconv.ParseInt(r.Values[0], 10, 64); err == nil {
				step := int64(1)
				if r.Operator == corev1.NodeSelectorOpLt {
					step = -1
				}
				return labelNode(n, r.Key, strconv.FormatInt(bound+step, 10))
			}
		}
	}
	return fmt.Sprintf("correct the requirement %s %s [%s], which no node can meet", r.Key, r.Operator, strings.Join(r.Values, " "))
}
