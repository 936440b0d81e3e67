package match

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/everynode/everynode/internal/fleet"
)

// requirement is one line of a term: a label's (or field's) name, an operator and values.
type requirement struct {
	key    string
	op     corev1.NodeSelectorOperator
	values []string // sorted
	bound  int64    // of Gt and Lt
	field  bool
	text   string
}

var selectionOf = map[corev1.NodeSelectorOperator]selection.Operator{
	corev1.NodeSelectorOpIn:           selection.In,
	corev1.NodeSelectorOpNotIn:        selection.NotIn,
	corev1.NodeSelectorOpExists:       selection.Exists,
	corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist,
	corev1.NodeSelectorOpGt:           selection.GreaterThan,
	corev1.NodeSelectorOpLt:           selection.LessThan,
}

func newRequirement(in *corev1.NodeSelectorRequirement) requirement {
	r := requirement{key: in.Key, op: in.Operator, values: slices.Clone(in.Values)}
	r.text = r.key + " " + string(r.op)
	switch shown := min(len(r.values), maxValues); {
	case shown == 0:
	case shown < len(r.values):
		r.text += fmt.Sprintf(" [%s +%d]", strings.Join(r.values[:shown], " "), len(r.values)-shown)
	default:
		r.text += " [" + strings.Join(r.values, " ") + "]"
	}
	slices.Sort(r.values)
	return r
}

// parseLabelRequirement leaves it to apimachinery to say what is valid.
func parseLabelRequirement(in *corev1.NodeSelectorRequirement) (requirement, error) {
	r := newRequirement(in)
	op, known := selectionOf[in.Operator]
	if !known {
		return r, fmt.Errorf("operator %q is not known", in.Operator)
	}
	if _, err := labels.NewRequirement(in.Key, op, in.Values); err != nil {
		return r, err
	}
	if op == selection.GreaterThan || op == selection.LessThan {
		bound, err := strconv.ParseInt(in.Values[0], 10, 64)
		if err != nil {
			return r, err
		}
		r.bound = bound
	}
	return r, nil
}

// parseFieldRequirement takes In and NotIn with exactly one value (U016).
func parseFieldRequirement(in *corev1.NodeSelectorRequirement) (requirement, error) {
	r := newRequirement(in)
	r.field = true
	if r.op != corev1.NodeSelectorOpIn && r.op != corev1.NodeSelectorOpNotIn {
		return r, fmt.Errorf("operator %q is not known for fields", r.op)
	}
	if len(r.values) != 1 {
		return r, fmt.Errorf("field %s takes one value, not %d", r.key, len(r.values))
	}
	return r, nil
}

// matchesLabel is U018. An absent label satisfies NotIn and DoesNotExist only.
func (r *requirement) matchesLabel(set map[string]string) bool {
	value, ok := set[r.key]
	switch r.op {
	case corev1.NodeSelectorOpIn:
		return ok && r.has(value)
	case corev1.NodeSelectorOpNotIn:
		return !ok || !r.has(value)
	case corev1.NodeSelectorOpExists:
		return ok
	case corev1.NodeSelectorOpDoesNotExist:
		return !ok
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		if !ok {
			return false
		}
		number, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return false
		}
		return (r.op == corev1.NodeSelectorOpGt) == (number > r.bound) && number != r.bound
	default:
		return false
	}
}

// has searches by halves: lists of a thousand host names are common.
func (r *requirement) has(value string) bool {
	_, ok := slices.BinarySearch(r.values, value)
	return ok
}

// matchesField knows the only field of a node, its name; any other is empty (U016).
func (r *requirement) matchesField(nodeName string) bool {
	value := ""
	if r.key == metav1.ObjectNameField {
		value = nodeName
	}
	return (r.op == corev1.NodeSelectorOpIn) == (value == r.values[0])
}

// found tells what the node has in place of what was required.
func (r *requirement) found(n *fleet.Node) string {
	value, ok := n.Labels[r.key]
	if r.field {
		value, ok = n.Name, r.key == metav1.ObjectNameField
	}
	if !ok {
		return " (absent)"
	}
	return " (is " + visible(value) + ")"
}
