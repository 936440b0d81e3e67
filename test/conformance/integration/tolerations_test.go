package integration

import (
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// rolloutOverTaints: with surge, a rollout that also moves the DaemonSet to other nodes. New nodes get their Pod at
// once, nodes in common surge one at a time, and nodes that are left lose theirs.
func rolloutOverTaints(w *world) {
	for i, zone := range []string{"zone-y", "zone-y", "zone-z", "zone-z", "zone-common", "zone-common"} {
		w.node(fmt.Sprint(i), tainted(zone))
	}
	w.daemonSet("foo", func(ds *appsv1.DaemonSet) {
		ds.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{
			MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
		}
		ds.Spec.Template.Spec.Tolerations = exist("zone-y", "zone-common")
	})
	w.reaches("foo", 4)
	w.settles("foo", all(4))
	w.want("foo", "0 1 4 5")
	w.tolerate("foo", "zone-y", "zone-common")

	// Before a new Pod is Ready there are seven: two on the new nodes, one that surges, and all four old ones; those
	// whose nodes are left stay until new ones are available.
	w.update("foo", func(t *corev1.PodTemplateSpec) { t.Spec.Tolerations = exist("zone-z", "zone-common") })
	w.reaches("foo", 7)
	w.settles("foo", all(4))
	w.want("foo", "2 3 4 5")
	w.tolerate("foo", "zone-z", "zone-common")

	// Again seven: four old ones, two on new nodes, one that surges.
	w.update("foo", func(t *corev1.PodTemplateSpec) { t.Spec.Tolerations = exist("zone-y", "zone-z", "zone-common") })
	w.reaches("foo", 7)
	w.settles("foo", all(6))
	w.want("foo", "0 1 2 3 4 5")
	w.tolerate("foo", "zone-y", "zone-z", "zone-common")

	w.update("foo", func(t *corev1.PodTemplateSpec) { t.Spec.Tolerations = nil })
	w.reaches("foo", 0)
	w.settles("foo", all(0))
}

func exist(keys ...string) []corev1.Toleration {
	var out []corev1.Toleration
	for _, key := range keys {
		out = append(out, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists})
	}
	return out
}

// tolerate compares the zones that the Pods tolerate; the tolerations that every daemon gets are left aside.
func (w *world) tolerate(name string, keys ...string) {
	w.Helper()
	for _, pod := range w.active(name) {
		var zones []corev1.Toleration
		for _, t := range pod.Spec.Tolerations {
			if strings.HasPrefix(t.Key, "zone-") {
				zones = append(zones, t)
			}
		}
		if diff := cmp.Diff(exist(keys...), zones); diff != "" {
			w.Errorf("Pod %s tolerates (-want +got):\n%s", pod.Name, diff)
		}
	}
}
