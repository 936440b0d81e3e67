package preview

import (
	"fmt"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Invalid says which field an API server would refuse, and why.
type Invalid struct {
	Field, Why string
}

// Error gives "field: why".
func (e *Invalid) Error() string { return e.Field + ": " + e.Why }

// valid finds what would make an API server refuse the change of this kind of object in particular. It is no
// replacement for the server's validation, which a live cluster is asked for.
func valid(live, ds *appsv1.DaemonSet) error {
	sel, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
	switch {
	case ds.Spec.Selector == nil:
		return &Invalid{"spec.selector", "it is required"}
	case err != nil:
		return &Invalid{"spec.selector", err.Error()}
	case live != nil && !reflect.DeepEqual(live.Spec.Selector, ds.Spec.Selector):
		return &Invalid{"spec.selector", fmt.Sprintf("it cannot be changed after creation (it is %s)", metav1.FormatLabelSelector(live.Spec.Selector))}
	case sel.Empty():
		return &Invalid{"spec.selector", "an empty selector would select every Pod"}
	case !sel.Matches(labels.Set(ds.Spec.Template.Labels)):
		return &Invalid{"spec.template.metadata.labels", fmt.Sprintf("they do not match spec.selector (%s)", sel)}
	case len(ds.Spec.Template.Spec.Containers) == 0:
		return &Invalid{"spec.template.spec.containers", "at least one container is required"}
	case ds.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyAlways:
		return &Invalid{"spec.template.spec.restartPolicy", fmt.Sprintf("it is %s; a daemon's is Always", ds.Spec.Template.Spec.RestartPolicy)}
	}
	for i, c := range ds.Spec.Template.Spec.Containers {
		if c.Name == "" || c.Image == "" {
			return &Invalid{fmt.Sprintf("spec.template.spec.containers[%d]", i), "name and image are required"}
		}
	}
	return validStrategy(ds.Spec.UpdateStrategy)
}

func validStrategy(s appsv1.DaemonSetUpdateStrategy) error {
	const field = "spec.updateStrategy"
	switch s.Type {
	case appsv1.OnDeleteDaemonSetStrategyType:
		return nil
	case appsv1.RollingUpdateDaemonSetStrategyType:
	default:
		return &Invalid{field + ".type", fmt.Sprintf("%q is none of RollingUpdate and OnDelete", s.Type)}
	}
	unavailable, err := percent(s.RollingUpdate.MaxUnavailable)
	if err != nil {
		return &Invalid{field + ".rollingUpdate.maxUnavailable", err.Error()}
	}
	surge, err := percent(s.RollingUpdate.MaxSurge)
	switch {
	case err != nil:
		return &Invalid{field + ".rollingUpdate.maxSurge", err.Error()}
	case unavailable > 0 && surge > 0:
		return &Invalid{field + ".rollingUpdate.maxSurge", "it may not be set when maxUnavailable is not 0"}
	case unavailable == 0 && surge == 0:
		return &Invalid{field + ".rollingUpdate.maxUnavailable", "it cannot be 0 when maxSurge is 0"}
	}
	return nil
}

func percent(v *intstr.IntOrString) (int, error) {
	if v == nil {
		return 0, nil
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(v, 100, true)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is neither a number from 0 up nor a percentage", v.String())
	}
	return n, nil
}
