package apimodel

import (
	"encoding/json"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// defaultGrace is a Pod's terminationGracePeriodSeconds where its spec has none.
const defaultGrace = 30

// CreatePod makes a Pod from a copy of pod and gives what was stored. A dry run stores nothing.
func (s *Server) CreatePod(actor string, pod *corev1.Pod, o metav1.CreateOptions) (*corev1.Pod, error) {
	if err := s.closing(Pods, pod.Namespace, pod.Name); err != nil {
		return nil, err
	}
	dryRun := len(o.DryRun) > 0
	pod = pod.DeepCopy()
	pod.Generation = 1
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending}
	if err := s.begin(Pods, pod); err != nil {
		return nil, err
	}
	if s.Admit != nil {
		if err := s.Admit(pod, dryRun); err != nil {
			return nil, err
		}
	}
	if err := s.insert(actor, Pods, pod, dryRun); err != nil {
		return nil, err
	}
	return pod, nil
}

// GetPod reads a Pod.
func (s *Server) GetPod(namespace, name string) (*corev1.Pod, error) {
	return lookup[*corev1.Pod](s, Pods, Key{Namespace: namespace, Name: name})
}

// DeletePod begins or ends a Pod's deletion. One that no kubelet has, or that has ended, needs no grace period.
func (s *Server) DeletePod(actor, namespace, name string, o metav1.DeleteOptions) error {
	pod, err := s.GetPod(namespace, name)
	if err != nil {
		return err
	}
	grace := int64(defaultGrace)
	if g := pod.Spec.TerminationGracePeriodSeconds; g != nil {
		grace = atLeastOne(*g)
	}
	if g := o.GracePeriodSeconds; g != nil {
		grace = atLeastOne(*g)
	}
	if pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		grace = 0
	}
	return s.delete(actor, Pods, pod, o, &grace)
}

// PatchPod applies a merge patch or a strategic merge patch to a Pod's metadata and spec.
func (s *Server) PatchPod(actor, namespace, name string, kind types.PatchType, body []byte) (*corev1.Pod, error) {
	pod, err := s.GetPod(namespace, name)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	var after []byte
	if kind == types.StrategicMergePatchType {
		after, err = strategicpatch.StrategicMergePatch(before, body, corev1.Pod{})
	} else {
		after, err = jsonpatch.MergePatch(before, body)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	next := &corev1.Pod{}
	if err := json.Unmarshal(after, next); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return s.updatePod(actor, pod, next, true)
}

// UpdatePod writes a Pod's metadata and spec; its status stays.
func (s *Server) UpdatePod(actor string, pod *corev1.Pod) (*corev1.Pod, error) {
	old, err := s.GetPod(pod.Namespace, pod.Name)
	if err != nil {
		return nil, err
	}
	return s.updatePod(actor, old, pod.DeepCopy(), false)
}

func (s *Server) updatePod(actor string, old, next *corev1.Pod, patched bool) (*corev1.Pod, error) {
	next.Status, next.Generation = old.Status, old.Generation
	if !equality.Semantic.DeepEqual(old.Spec, next.Spec) {
		next.Generation++
	}
	if err := s.update(request{actor: actor, kind: Pods, old: old, next: next, patched: patched}); err != nil {
		return nil, err
	}
	return next, nil
}

// UpdatePodStatus writes a Pod's status; its spec and owners stay. What the request says of the other metadata is written
// too, as the real server does.
func (s *Server) UpdatePodStatus(actor string, pod *corev1.Pod) (*corev1.Pod, error) {
	old, err := s.GetPod(pod.Namespace, pod.Name)
	if err != nil {
		return nil, err
	}
	next := pod.DeepCopy()
	next.Spec, next.Generation, next.OwnerReferences, next.DeletionTimestamp = old.Spec, old.Generation, old.OwnerReferences, nil
	if err := s.update(request{actor: actor, kind: Pods, old: old, next: next}); err != nil {
		return nil, err
	}
	return next, nil
}

// BindPod is what a scheduler writes: the node of a Pod that has none. To the server that is something new, so it is refused
// where nothing new is made.
func (s *Server) BindPod(actor string, pod *corev1.Pod, node string) error {
	if err := s.closing(Pods, pod.Namespace, pod.Name); err != nil {
		return err
	}
	old, err := s.GetPod(pod.Namespace, pod.Name)
	switch {
	case err != nil:
		return err
	case (pod.UID != "" && old.UID != pod.UID) || old.DeletionTimestamp != nil || old.Spec.NodeName != "":
		return conflict(Pods, pod.Name, "pod is assigned to a node, is being deleted or is another")
	}
	next := old.DeepCopy()
	next.Spec.NodeName = node
	s.replace(actor, Pods, old, next)
	return nil
}
