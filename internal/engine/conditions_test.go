package engine

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// patchConditions does what a merge patch of the status does: the list becomes what the patch has, and no other condition.
func (s *story) patchConditions(name string, types ...string) {
	ds := s.w.sets[name].DeepCopy()
	ds.Status.Conditions = nil
	for _, t := range types {
		ds.Status.Conditions = append(ds.Status.Conditions, appsv1.DaemonSetCondition{
			Type: appsv1.DaemonSetConditionType(t), Status: corev1.ConditionTrue, Reason: "Patched", LastTransitionTime: metav1.NewTime(s.w.now),
		})
	}
	s.w.changeSet(ds)
}

func (s *story) showConditions(name string) {
	for _, c := range s.w.sets[name].Status.Conditions {
		s.out = append(s.out, fmt.Sprintf("%s=%s %s since +%s: %s", c.Type, c.Status, c.Reason, c.LastTransitionTime.Sub(t0), c.Message))
	}
}
