package plan

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const rollingUpdate = appsv1.RollingUpdateDaemonSetStrategyType

// limits are the fields of a rolling update, which may be nil.
func (b *Book) limits() (surge, unavailable *intstr.IntOrString) {
	if r := b.d.Object.Spec.UpdateStrategy.RollingUpdate; r != nil {
		return r.MaxSurge, r.MaxUnavailable
	}
	return nil, nil
}

// surges tells whether a node may hold an old and a new Pod at once. Two Pods cannot hold one host port (D9).
func (b *Book) surges() (bool, error) {
	surge, _ := b.limits()
	if b.d.Object.Spec.UpdateStrategy.Type != rollingUpdate {
		return false, nil
	}
	atLeastOne, err := b.scaled("maxSurge", surge, 1)
	return atLeastOne > 0 && len(b.d.HostPorts) == 0, err
}

// resolveBudget turns the update strategy into numbers; percentages are of the desired count, rounded up (U149–U153).
func (b *Book) resolveBudget() (err error) {
	out := &b.head.budget
	if out.Strategy = b.strategy; b.strategy != rollingUpdate {
		return nil
	}
	desired := int(b.sums.Desired)
	surge, unavailable := b.limits()
	if out.MaxSurge, err = b.scaled("maxSurge", surge, desired); err != nil {
		return err
	}
	if out.MaxUnavailable, err = b.scaled("maxUnavailable", unavailable, desired); err != nil {
		return err
	}
	out.Surging = b.surging
	if atLeastOne, _ := b.scaled("maxSurge", surge, 1); atLeastOne > 0 && !b.surging {
		out.MaxSurge, out.PortsForbidSurge = 0, true
	}
	if out.MaxSurge == 0 && out.MaxUnavailable == 0 && desired > 0 {
		out.MaxUnavailable = 1 // a rollout must be able to move (U151)
	}
	return nil
}

func (b *Book) scaled(field string, v *intstr.IntOrString, total int) (int, error) {
	if v == nil {
		return 0, nil
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(v, total, true)
	if err != nil {
		return 0, fmt.Errorf("DaemonSet %s: spec.updateStrategy.rollingUpdate.%s: %w", b.d.Key, field, err)
	}
	return n, nil
}
