package apimodel

import (
	"bytes"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// CreateDaemonSet makes a DaemonSet from a copy of ds.
func (s *Server) CreateDaemonSet(actor string, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	if err := checkTemplateGeneration(ds); err != nil {
		return nil, err
	}
	if err := s.closing(DaemonSets, ds.Namespace, ds.Name); err != nil {
		return nil, err
	}
	ds = ds.DeepCopy()
	ds.Status = appsv1.DaemonSetStatus{}
	ds.Generation = 1
	if templateGeneration(ds) < 1 {
		setTemplateGeneration(ds, 1)
	}
	if err := s.begin(DaemonSets, ds); err != nil {
		return nil, err
	}
	if err := checkSelector(ds); err != nil {
		return nil, err
	}
	if err := s.insert(actor, DaemonSets, ds, false); err != nil {
		return nil, err
	}
	return ds, nil
}

// checkSelector is the part of validation that ties selector and template together.
func checkSelector(ds *appsv1.DaemonSet) error {
	sel, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
	if err != nil {
		return invalid(DaemonSets, ds.Name, "spec.selector: "+err.Error())
	}
	if !sel.Matches(labels.Set(ds.Spec.Template.Labels)) {
		return invalid(DaemonSets, ds.Name, "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`")
	}
	return nil
}

// checkTemplateGeneration refuses an annotation that is no number, as the server does when it reads the request.
func checkTemplateGeneration(ds *appsv1.DaemonSet) error {
	if v, ok := ds.Annotations[appsv1.DeprecatedTemplateGeneration]; ok {
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
	}
	return nil
}

func templateGeneration(ds *appsv1.DaemonSet) int64 {
	n, err := strconv.ParseInt(ds.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func setTemplateGeneration(ds *appsv1.DaemonSet, n int64) {
	if ds.Annotations == nil {
		ds.Annotations = map[string]string{}
	}
	ds.Annotations[appsv1.DeprecatedTemplateGeneration] = strconv.FormatInt(n, 10)
}

// GetDaemonSet reads a DaemonSet.
func (s *Server) GetDaemonSet(namespace, name string) (*appsv1.DaemonSet, error) {
	return lookup[*appsv1.DaemonSet](s, DaemonSets, Key{Namespace: namespace, Name: name})
}

// UpdateDaemonSet writes metadata and spec; the status stays. Generations count as upstream's strategy has it: that of the
// spec, and within it that of the template.
func (s *Server) UpdateDaemonSet(actor string, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	if err := checkTemplateGeneration(ds); err != nil {
		return nil, err
	}
	old, err := s.GetDaemonSet(ds.Namespace, ds.Name)
	if err != nil {
		return nil, err
	}
	next := ds.DeepCopy()
	next.Status, next.Generation = old.Status, old.Generation
	number := templateGeneration(old)
	if !equality.Semantic.DeepEqual(old.Spec.Template, next.Spec.Template) {
		number++
	}
	setTemplateGeneration(next, number)
	if !equality.Semantic.DeepEqual(old.Spec, next.Spec) {
		next.Generation++
	}
	check := func() error {
		if !equality.Semantic.DeepEqual(old.Spec.Selector, next.Spec.Selector) {
			return invalid(DaemonSets, ds.Name, "spec.selector: Invalid value: field is immutable")
		}
		return checkSelector(next)
	}
	if err := s.update(request{actor: actor, kind: DaemonSets, old: old, next: next, check: check}); err != nil {
		return nil, err
	}
	return next, nil
}

// UpdateDaemonSetStatus writes the status; the spec stays. What the request says of the metadata is written too, as the real
// server does.
func (s *Server) UpdateDaemonSetStatus(actor string, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	if err := checkTemplateGeneration(ds); err != nil {
		return nil, err
	}
	old, err := s.GetDaemonSet(ds.Namespace, ds.Name)
	if err != nil {
		return nil, err
	}
	next := ds.DeepCopy()
	next.Spec, next.Generation = old.Spec, old.Generation
	setTemplateGeneration(next, templateGeneration(old))
	check := func() error {
		was, is := old.Status.CollisionCount, next.Status.CollisionCount
		if was != nil && (is == nil || *is < *was) {
			return invalid(DaemonSets, ds.Name, "status.collisionCount: Invalid value: cannot be decremented")
		}
		return nil
	}
	if err := s.update(request{actor: actor, kind: DaemonSets, old: old, next: next, check: check}); err != nil {
		return nil, err
	}
	return next, nil
}

// DeleteDaemonSet removes a DaemonSet, at once, or after the garbage collector has seen to what the policy asks of it.
func (s *Server) DeleteDaemonSet(actor, namespace, name string, o metav1.DeleteOptions) error {
	ds, err := s.GetDaemonSet(namespace, name)
	if err != nil {
		return err
	}
	return s.delete(actor, DaemonSets, ds, o, nil)
}

// CreateRevision makes a ControllerRevision from a copy of r.
func (s *Server) CreateRevision(actor string, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	if err := s.closing(Revisions, r.Namespace, r.Name); err != nil {
		return nil, err
	}
	r = r.DeepCopy()
	if err := s.begin(Revisions, r); err != nil {
		return nil, err
	}
	if err := s.insert(actor, Revisions, r, false); err != nil {
		return nil, err
	}
	return r, nil
}

// GetRevision reads a ControllerRevision.
func (s *Server) GetRevision(namespace, name string) (*appsv1.ControllerRevision, error) {
	return lookup[*appsv1.ControllerRevision](s, Revisions, Key{Namespace: namespace, Name: name})
}

// UpdateRevision writes a ControllerRevision, whose data may not change.
func (s *Server) UpdateRevision(actor string, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	old, err := s.GetRevision(r.Namespace, r.Name)
	if err != nil {
		return nil, err
	}
	next := r.DeepCopy()
	next.Generation = old.Generation
	check := func() error {
		if !bytes.Equal(old.Data.Raw, next.Data.Raw) {
			return invalid(Revisions, r.Name, "data: Invalid value: field is immutable")
		}
		return nil
	}
	if err := s.update(request{actor: actor, kind: Revisions, old: old, next: next, check: check}); err != nil {
		return nil, err
	}
	return next, nil
}

// DeleteRevision removes a ControllerRevision.
func (s *Server) DeleteRevision(actor, namespace, name string, o metav1.DeleteOptions) error {
	r, err := s.GetRevision(namespace, name)
	if err != nil {
		return err
	}
	return s.delete(actor, Revisions, r, o, nil)
}
