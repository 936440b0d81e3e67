package match

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Matcher is one template's placement rules, parsed.
type Matcher struct {
	nodeName    string
	selector    []selectorLabel
	affinity    *nodeAffinity
	tolerations []corev1.Toleration
}

var _ fleet.Judge = (*Matcher)(nil)

// New parses the DaemonSet's template. A part that does not parse never fails: it matches no node (U017).
func New(ds *appsv1.DaemonSet) *Matcher {
	spec := &ds.Spec.Template.Spec
	m := &Matcher{
		nodeName:    spec.NodeName,
		selector:    parseSelector(spec.NodeSelector),
		tolerations: Tolerations(spec), // the automatic ones count as well (U008)
	}
	if a := spec.Affinity; a != nil && a.NodeAffinity != nil {
		// Preferred terms have no say in where a daemon runs (U019).
		if required := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
			m.affinity = parseAffinity(required)
		}
	}
	return m
}

// Verdict decides about one node (U001–U019). The Fits verdict allocates nothing.
func (m *Matcher) Verdict(n *fleet.Node) fleet.Verdict {
	if m.nodeName != "" && m.nodeName != n.Name { // U002
		return verdict(fleet.Leave, fleet.NodeNameMismatch, "wants "+m.nodeName)
	}
	for i := range m.selector {
		if s := &m.selector[i]; !s.matches(n) { // U003, U013
			return verdict(fleet.Leave, fleet.NodeSelectorMismatch, s.mismatch(n))
		}
	}
	if m.affinity != nil && !m.affinity.matches(n) { // U003, U014
		return verdict(fleet.Leave, fleet.NodeAffinityMismatch, m.affinity.mismatch(n))
	}
	var blocked *corev1.Taint
	for i := range n.Taints {
		taint := &n.Taints[i]
		switch taint.Effect {
		case corev1.TaintEffectNoExecute:
			if m.toleration(taint) == nil {
				return verdict(fleet.Leave, fleet.TaintNoExecute, taintText(taint))
			}
		case corev1.TaintEffectNoSchedule:
			if blocked == nil && m.toleration(taint) == nil {
				blocked = taint
			}
		default: // PreferNoSchedule is a wish of the scheduler's (U005)
		}
	}
	if blocked != nil { // a running Pod may stay (U004)
		return verdict(fleet.Keep, fleet.TaintNoSchedule, taintText(blocked))
	}
	return verdict(fleet.Run, fleet.Fits, "")
}

func verdict(d fleet.Decision, code fleet.Code, detail string) fleet.Verdict {
	return fleet.Verdict{Decision: d, Reason: fleet.Reason{Code: code, Detail: detail}}
}

// selectorLabel is one entry of spec.nodeSelector: the label must be there and equal (U013).
type selectorLabel struct {
	key, value string
}

// parseSelector orders the map by key, so that the same label is blamed each time.
func parseSelector(selector map[string]string) []selectorLabel {
	out := make([]selectorLabel, 0, len(selector))
	for key, value := range selector {
		out = append(out, selectorLabel{key, value})
	}
	slices.SortFunc(out, func(a, b selectorLabel) int { return strings.Compare(a.key, b.key) })
	return out
}

func (s *selectorLabel) matches(n *fleet.Node) bool {
	value, ok := n.Labels[s.key]
	return ok && value == s.value
}

func (s *selectorLabel) mismatch(n *fleet.Node) string {
	if value, ok := n.Labels[s.key]; ok {
		return s.key + "=" + value + " (wants " + visible(s.value) + ")"
	}
	return s.key + " absent (wants " + visible(s.value) + ")"
}

// visible shows an empty value, which a label may have.
func visible(value string) string {
	if value == "" {
		return `""`
	}
	return value
}
