package match

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Kind says what a Check looked at.
type Kind string

// The kinds, in the order in which they are decided.
const (
	// NodeName is the template's spec.nodeName.
	NodeName Kind = "nodeName"
	// NodeSelector is one label of spec.nodeSelector.
	NodeSelector Kind = "nodeSelector"
	// NodeAffinity is one term of the required node affinity; one that passes is enough.
	NodeAffinity Kind = "nodeAffinity"
	// Taint is one taint of the node.
	Taint Kind = "taint"
)

// Check is one test of a node against a template.
type Check struct {
	Kind Kind
	// Subject is what was asked for: a name, a label, a term; or the taint that has to be tolerated.
	Subject string
	// Pass is the answer.
	Pass bool
	// Detail is what decided: what the node has, or the toleration that covers the taint.
	Detail string
	// Code is the reason that a Check of this kind gives when it fails; Fits when it cannot fail.
	Code fleet.Code
}

// Checks makes every test that Verdict decides by, also those behind the first one that fails. What the template does
// not ask for is not listed.
func (m *Matcher) Checks(n *fleet.Node) []Check {
	var out []Check
	if m.nodeName != "" {
		out = append(out, Check{
			Kind: NodeName, Subject: m.nodeName, Pass: m.nodeName == n.Name, Detail: "is " + n.Name,
			Code: fleet.NodeNameMismatch,
		})
	}
	for i := range m.selector {
		s := &m.selector[i]
		c := Check{Kind: NodeSelector, Subject: s.key + "=" + s.value, Pass: s.matches(n), Detail: "absent", Code: fleet.NodeSelectorMismatch}
		if value, ok := n.Labels[s.key]; ok {
			c.Detail = "is " + visible(value)
		}
		out = append(out, c)
	}
	out = m.affinityChecks(out, n)
	for i := range n.Taints {
		out = append(out, m.taintCheck(&n.Taints[i]))
	}
	return out
}

func (m *Matcher) affinityChecks(out []Check, n *fleet.Node) []Check {
	if m.affinity == nil {
		return out
	}
	if len(m.affinity.terms) == 0 {
		return append(out, Check{Kind: NodeAffinity, Subject: "no terms", Detail: "no term can match", Code: fleet.NodeAffinityMismatch})
	}
	for i := range m.affinity.terms {
		t := &m.affinity.terms[i]
		c := Check{Kind: NodeAffinity, Subject: t.text, Pass: t.matches(n), Code: fleet.NodeAffinityMismatch}
		switch {
		case c.Pass:
			c.Detail = "matches"
		case t.bad != "":
			c.Detail = t.bad
		default:
			c.Detail = t.mismatch(n)
		}
		out = append(out, c)
	}
	return out
}

func (m *Matcher) taintCheck(taint *corev1.Taint) Check {
	c := Check{Kind: Taint, Subject: taintText(taint), Pass: true, Detail: "ignored", Code: fleet.Fits}
	switch taint.Effect {
	case corev1.TaintEffectNoExecute:
		c.Code = fleet.TaintNoExecute
	case corev1.TaintEffectNoSchedule:
		c.Code = fleet.TaintNoSchedule
	default:
		return c
	}
	if t := m.toleration(taint); t != nil {
		c.Detail = "tolerated by " + tolerationText(t)
	} else {
		c.Pass, c.Detail = false, "not tolerated"
	}
	return c
}
