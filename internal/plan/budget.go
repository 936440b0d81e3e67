package plan

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// resolveBudget turns the update strategy into numbers; percentages are of the desired count, rounded up (U149–U153).
func (p *planner) resolveBudget() error {
	strategy := p.d.Object.Spec.UpdateStrategy
	p.Budget.Strategy = strategy.Type
	if strategy.Type != appsv1.RollingUpdateDaemonSetStrategyType {
		return nil
	}
	var surge, unavailable *intstr.IntOrString
	if r := strategy.RollingUpdate; r != nil {
		surge, unavailable = r.MaxSurge, r.MaxUnavailable
	}
	atLeastOne, err := scaled(surge, 1)
	if err != nil {
		return fmt.Errorf("DaemonSet %s: spec.updateStrategy.rollingUpdate.maxSurge: %w", p.d.Key, err)
	}
	desired := int(p.Counts.Desired)
	if p.Budget.MaxSurge, err = scaled(surge, desired); err != nil {
		return fmt.Errorf("DaemonSet %s: spec.updateStrategy.rollingUpdate.maxSurge: %w", p.d.Key, err)
	}
	if p.Budget.MaxUnavailable, err = scaled(unavailable, desired); err != nil {
		return fmt.Errorf("DaemonSet %s: spec.updateStrategy.rollingUpdate.maxUnavailable: %w", p.d.Key, err)
	}
	p.Budget.Surging = atLeastOne > 0
	if p.Budget.Surging && len(p.d.HostPorts) > 0 {
		p.Budget.Surging, p.Budget.MaxSurge, p.Budget.PortsForbidSurge = false, 0, true
	}
	if p.Budget.MaxSurge == 0 && p.Budget.MaxUnavailable == 0 && desired > 0 {
		p.Budget.MaxUnavailable = 1 // a rollout must be able to move (U151)
	}
	return nil
}

func scaled(v *intstr.IntOrString, total int) (int, error) {
	if v == nil {
		return 0, nil
	}
	return intstr.GetScaledValueFromIntOrPercent(v, total, true)
}
