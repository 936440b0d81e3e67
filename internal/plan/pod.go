package plan

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// NewPod is the Pod of a DaemonSet's template for one node (U042–U048): upstream's, but for the derived name and, with
// direct placement, spec.nodeName. An empty name leaves the name to the API server. The DaemonSet is not modified.
func NewPod(ds *appsv1.DaemonSet, hash, node, name string, placement Placement) *corev1.Pod {
	t := &ds.Spec.Template
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, GenerateName: namePrefix(ds.Name), Namespace: ds.Namespace,
			Labels:          podLabels(ds, hash),
			Annotations:     maps.Clone(t.Annotations),
			Finalizers:      slices.Clone(t.Finalizers),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind(fleet.DaemonSetKind))},
		},
		Spec: *t.Spec.DeepCopy(),
	}
	pod.Spec.Tolerations = match.Tolerations(&t.Spec)
	if placement == Direct {
		pod.Spec.NodeName = node
	} else {
		pod.Spec.Affinity = match.Pin(t.Spec.Affinity, node)
	}
	return pod
}

func podLabels(ds *appsv1.DaemonSet, hash string) map[string]string {
	l := maps.Clone(ds.Spec.Template.Labels)
	if l == nil {
		l = map[string]string{}
	}
	if g := ds.Annotations[appsv1.DeprecatedTemplateGeneration]; g != "" {
		l[fleet.TemplateGenerationLabel] = g
	}
	l[appsv1.DefaultDaemonSetUniqueLabelKey] = hash
	return l
}

// namePrefix is the DaemonSet's name with a dash, if Pods may be called so (U042).
func namePrefix(name string) string {
	if prefix := name + "-"; len(validation.IsDNS1123Subdomain(prefix+"x")) == 0 {
		return prefix
	}
	return name
}

// Pending is the fact that stands for a Pod whose create call is in flight.
func Pending(d *fleet.Daemon, hash, node, name string, placement Placement) *fleet.Pod {
	return &fleet.Pod{
		Name: name, On: node, Bound: placement == Direct, Phase: fleet.PhasePending, Creating: true,
		Shape: &fleet.Shape{
			Namespace: d.Key.Namespace,
			Owner:     d.UID, OwnerKind: fleet.DaemonSetKind, OwnerName: d.Key.Name, Labels: podLabels(d.Object, hash),
			Priority: d.Priority, Requests: d.Requests, HostPorts: d.HostPorts,
		},
	}
}
