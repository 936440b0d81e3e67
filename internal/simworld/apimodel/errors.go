package apimodel

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// versionOnCreate is what the server says of a new object that has a version. It takes that for a failure of its own.
func versionOnCreate() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: "resourceVersion should not be set on objects to be created",
	}}
}

func conflict(k Kind, name, why string) error {
	return apierrors.NewConflict(k.resource(), name, errors.New(why))
}

func invalid(k Kind, name, why string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
		Message: fmt.Sprintf("%s %q is invalid: %s", k, name, why),
	}}
}

// settleOwners takes out owners that are there twice, and refuses two controllers, as validation does.
func settleOwners(k Kind, o metav1.Object) error {
	refs := o.GetOwnerReferences()
	for i, ref := range refs {
		if slices.ContainsFunc(refs[:i], func(r metav1.OwnerReference) bool { return equality.Semantic.DeepEqual(r, ref) }) {
			o.SetOwnerReferences(slices.Delete(slices.Clone(refs), i, i+1))
			return settleOwners(k, o)
		}
	}
	seen := ""
	for _, ref := range refs {
		if ref.UID == "" {
			return invalid(k, o.GetName(), "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty")
		}
		if ref.Controller == nil || !*ref.Controller {
			continue
		}
		if seen != "" {
			return invalid(k, o.GetName(), "metadata.ownerReferences: Invalid value: only one reference can have Controller set to true: "+seen+" and "+ref.Name)
		}
		seen = ref.Name
	}
	return nil
}

// checkPreconditions compares what a delete was decided on with what there is.
func checkPreconditions(k Kind, o metav1.Object, p *metav1.Preconditions) error {
	switch {
	case p == nil:
		return nil
	case p.UID != nil && *p.UID != o.GetUID():
		return conflict(k, o.GetName(), fmt.Sprintf("Precondition failed: UID in precondition: %v, UID in object meta: %v", *p.UID, o.GetUID()))
	case p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion():
		return conflict(k, o.GetName(), fmt.Sprintf("Precondition failed: ResourceVersion in precondition: %v, ResourceVersion in object meta: %v", *p.ResourceVersion, o.GetResourceVersion()))
	default:
		return nil
	}
}

// closing refuses a create in a namespace that is being deleted.
func (s *Server) closing(k Kind, namespace, name string) error {
	if !s.Closing[namespace] {
		return nil
	}
	err := apierrors.NewForbidden(k.resource(), name, fmt.Errorf("unable to create new content in namespace %s because it is being terminated", namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: "namespace " + namespace + " is being terminated", Field: "metadata.namespace",
	})
	return err
}
