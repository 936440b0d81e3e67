package oracle

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
	"k8s.io/utils/ptr"
)

func (n *sceneNode) taintParts() (key, effect string) {
	key, effect, _ = strings.Cut(n.taint, ":")
	return key, effect
}

// object makes the API object of a Pod; hash is that of the current revision.
func (p *scenePod) object(ds *appsv1.DaemonSet, hash string) *corev1.Pod {
	out := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: p.name, Namespace: ds.Namespace, UID: types.UID("uid-" + p.name),
			CreationTimestamp: metav1.NewTime(epoch.Add(-p.age)), OwnerReferences: p.owners(ds), Labels: p.labels(hash),
		},
		Status: corev1.PodStatus{Phase: p.phase},
	}
	switch p.place {
	case "bound":
		out.Spec.NodeName = p.node
	case "unbound":
		out.Spec.Affinity = daemonutil.ReplaceDaemonSetPodNodeNameNodeAffinity(nil, p.node)
	default: // names no node at all
	}
	if p.terminating {
		out.DeletionTimestamp = ptr.To(metav1.NewTime(epoch))
	}
	if p.ready {
		c := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue}
		if !p.stampless {
			c.LastTransitionTime = metav1.NewTime(epoch.Add(-p.readyFor))
		}
		out.Status.Conditions = []corev1.PodCondition{c}
	}
	return out
}

func (p *scenePod) labels(hash string) map[string]string {
	out := map[string]string{"app": "d"}
	if p.stray {
		out["app"] = "other"
	}
	switch p.hash {
	case "new":
		out[hashLabel] = hash
	case "old":
		out[hashLabel] = "old"
	default: // an adopted Pod may have none
	}
	if p.generation != "" {
		out[generationLabel] = p.generation
	}
	return out
}

func (p *scenePod) owners(ds *appsv1.DaemonSet) []metav1.OwnerReference {
	ref := *metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))
	switch p.owner {
	case "orphan":
		return nil
	case "foreign":
		ref.Kind, ref.Name, ref.UID = "ReplicaSet", "r", "uid-r"
	case "namesake":
		ref.UID = "uid-before"
	default:
	}
	return []metav1.OwnerReference{ref}
}
