package match

import (
	corev1 "k8s.io/api/core/v1"
)

// automatic are the tolerations that every daemon Pod gets, in upstream's order (U020–U025, U028).
var automatic = []corev1.Toleration{
	{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
	{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
	{Key: corev1.TaintNodeDiskPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
	{Key: corev1.TaintNodeMemoryPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
	{Key: corev1.TaintNodePIDPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
	{Key: corev1.TaintNodeUnschedulable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
}

// automaticHostNetwork is added for host network only: that Pod needs no network of the cluster's (U026).
var automaticHostNetwork = corev1.Toleration{
	Key: corev1.TaintNodeNetworkUnavailable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule,
}

// Tolerations gives the user's tolerations and the automatic ones, in a slice of its own. A user's toleration that is
// equal to an automatic one but for its seconds is overwritten where it stands, each time it occurs (U029).
func Tolerations(spec *corev1.PodSpec) []corev1.Toleration {
	out := make([]corev1.Toleration, 0, len(spec.Tolerations)+len(automatic)+1)
	out = append(out, spec.Tolerations...)
	for i := range automatic {
		out = overwrite(out, &automatic[i])
	}
	if spec.HostNetwork {
		out = overwrite(out, &automaticHostNetwork)
	}
	return out
}

func overwrite(list []corev1.Toleration, add *corev1.Toleration) []corev1.Toleration {
	found := false
	for i := range list {
		if list[i].MatchToleration(add) {
			list[i], found = *add, true
		}
	}
	if !found {
		list = append(list, *add)
	}
	return list
}

// toleration gives the first one that covers the taint, or nil.
func (m *Matcher) toleration(taint *corev1.Taint) *corev1.Toleration {
	for i := range m.tolerations {
		if tolerates(&m.tolerations[i], taint) {
			return &m.tolerations[i]
		}
	}
	return nil
}

// tolerates is U011. tolerationSeconds plays no part (U012), and Gt and Lt never tolerate: their feature gate is off.
func tolerates(t *corev1.Toleration, taint *corev1.Taint) bool {
	if t.Effect != "" && t.Effect != taint.Effect {
		return false
	}
	if t.Key != "" && t.Key != taint.Key {
		return false
	}
	switch t.Operator {
	case "", corev1.TolerationOpEqual:
		return t.Value == taint.Value
	case corev1.TolerationOpExists:
		return true
	default:
		return false
	}
}

// taintText is kubectl's form: key=value:effect, or key:effect.
func taintText(t *corev1.Taint) string {
	if t.Value == "" {
		return t.Key + ":" + string(t.Effect)
	}
	return t.Key + "=" + t.Value + ":" + string(t.Effect)
}

// tolerationText tells which taints a toleration covers.
func tolerationText(t *corev1.Toleration) string {
	key := t.Key
	if key == "" {
		key = "any key"
	}
	if t.Operator == corev1.TolerationOpExists {
		key += " Exists"
	} else {
		key += "=" + t.Value
	}
	if t.Effect == "" {
		return key + ":any effect"
	}
	return key + ":" + string(t.Effect)
}
