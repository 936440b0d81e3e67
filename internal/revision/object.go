package revision

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/dump"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"
)

var daemonSetKind = appsv1.SchemeGroupVersion.WithKind("DaemonSet")

// Hash is upstream's hash of a template (U189). It only serves to name a new revision: it changes whenever the Go type
// gains a field, so a revision's hash is read with HashOf and never computed again.
func Hash(template *corev1.PodTemplateSpec, collisionCount *int32) string {
	h := fnv.New32a()
	h.Write([]byte(dump.ForHash(*template))) //nolint:staticcheck,govet // same text as k8s.io/utils/dump, by the library that pure rooms may use
	if collisionCount != nil {
		var count [8]byte
		binary.LittleEndian.PutUint32(count[:], uint32(*collisionCount))
		h.Write(count[:])
	}
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32()))
}

// HashOf reads the hash label of a revision; it is empty if the label is absent.
func HashOf(r *appsv1.ControllerRevision) string {
	return r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
}

// hashOrName is the hash label that a revision has or will get: one without gets its own name (U185), which cannot
// collide. A name too long for a label is hashed.
func hashOrName(r *appsv1.ControllerRevision) string {
	if labelled(r) {
		return HashOf(r)
	}
	if len(validation.IsValidLabelValue(r.Name)) == 0 {
		return r.Name
	}
	h := fnv.New32a()
	h.Write([]byte(r.Name))
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32()))
}

func labelled(r *appsv1.ControllerRevision) bool {
	_, ok := r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	return ok
}

// withLabel is a copy that has the hash label.
func withLabel(r *appsv1.ControllerRevision) *appsv1.ControllerRevision {
	out := r.DeepCopy()
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	out.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = hashOrName(r)
	return out
}

// New makes the revision of the DaemonSet's template (U188). The DaemonSet's annotations go with it, for kubectl's
// change cause and for the template generation.
func New(ds *appsv1.DaemonSet, number int64) (*appsv1.ControllerRevision, error) {
	data, err := Data(&ds.Spec.Template)
	if err != nil {
		return nil, err
	}
	hash := Hash(&ds.Spec.Template, ds.Status.CollisionCount)
	labels := make(map[string]string, len(ds.Spec.Template.Labels)+1)
	maps.Copy(labels, ds.Spec.Template.Labels)
	labels[appsv1.DefaultDaemonSetUniqueLabelKey] = hash
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name:            ds.Name + "-" + hash,
			Namespace:       ds.Namespace,
			Labels:          labels,
			Annotations:     maps.Clone(ds.Annotations),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(ds, daemonSetKind)},
		},
		Data:     runtime.RawExtension{Raw: data},
		Revision: number,
	}, nil
}
