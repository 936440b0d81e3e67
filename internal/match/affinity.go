package match

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// nodeAffinity is the required node affinity: one matching term is enough (U014).
type nodeAffinity struct {
	terms []term
}

// term matches when all its requirements do. A bad or empty one matches nothing (U015, U017).
type term struct {
	labels []requirement
	fields []requirement
	// text is the term as a person would write it.
	text string
	// bad tells why the term can match nothing; short is the same in few words.
	bad, short string
}

// maxTerms and maxValues bound what a reason shows of a long affinity.
const (
	maxTerms  = 3
	maxValues = 6
)

func parseAffinity(selector *corev1.NodeSelector) *nodeAffinity {
	a := &nodeAffinity{terms: make([]term, 0, len(selector.NodeSelectorTerms))}
	for i := range selector.NodeSelectorTerms {
		a.terms = append(a.terms, parseTerm(&selector.NodeSelectorTerms[i]))
	}
	return a
}

func parseTerm(in *corev1.NodeSelectorTerm) term {
	var t term
	var texts []string
	add := func(to *[]requirement, from *corev1.NodeSelectorRequirement, parse func(*corev1.NodeSelectorRequirement) (requirement, error)) {
		r, err := parse(from)
		if err != nil && t.bad == "" {
			t.bad, t.short = err.Error(), r.text+" does not parse"
		}
		*to = append(*to, r)
		texts = append(texts, r.text)
	}
	for i := range in.MatchExpressions {
		add(&t.labels, &in.MatchExpressions[i], parseLabelRequirement)
	}
	for i := range in.MatchFields {
		add(&t.fields, &in.MatchFields[i], parseFieldRequirement)
	}
	t.text = strings.Join(texts, " and ")
	if len(texts) == 0 {
		t.text, t.bad, t.short = "empty term", "an empty term matches nothing", "empty term"
	}
	return t
}

func (a *nodeAffinity) matches(n *fleet.Node) bool {
	for i := range a.terms {
		if a.terms[i].matches(n) {
			return true
		}
	}
	return false
}

func (t *term) matches(n *fleet.Node) bool { return t.bad == "" && t.failing(n) == nil }

// failing gives the first requirement that the node does not meet.
func (t *term) failing(n *fleet.Node) *requirement {
	for i := range t.labels {
		if r := &t.labels[i]; !r.matchesLabel(n.Labels) {
			return r
		}
	}
	if n.Name == "" { // a node without fields is not asked for them
		return nil
	}
	for i := range t.fields {
		if r := &t.fields[i]; !r.matchesField(n.Name) {
			return r
		}
	}
	return nil
}

// mismatch names, for each term, the requirement that the node does not meet.
func (a *nodeAffinity) mismatch(n *fleet.Node) string {
	switch len(a.terms) {
	case 0:
		return "no terms"
	case 1:
		return a.terms[0].mismatch(n)
	}
	var b strings.Builder
	for i := range a.terms {
		if i == maxTerms {
			b.WriteString(" | and " + strconv.Itoa(len(a.terms)-maxTerms) + " more")
			break
		}
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(a.terms[i].mismatch(n))
	}
	return b.String()
}

func (t *term) mismatch(n *fleet.Node) string {
	if t.bad != "" {
		return t.short
	}
	r := t.failing(n)
	if r == nil {
		return ""
	}
	return r.text + r.found(n)
}
