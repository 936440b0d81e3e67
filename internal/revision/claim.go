package revision

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// claims sorts revisions by whose they are (U058); each list is in the order of the history.
type claims struct {
	owned   []*appsv1.ControllerRevision
	orphans []*appsv1.ControllerRevision // to be adopted before anything else is written to them
	strays  []*appsv1.ControllerRevision // owned, but the selector does not match any more
}

// claim leaves out what others control (U050), other namespaces, and what is neither owned nor matched. A DaemonSet that
// is being deleted takes nothing in and lets nothing go (U051–U053).
func claim(ds *appsv1.DaemonSet, list []*appsv1.ControllerRevision) (claims, error) {
	selector, err := selectorOf(ds)
	if err != nil {
		return claims{}, err
	}
	var c claims
	deleting := ds.DeletionTimestamp != nil
	for _, r := range list {
		if r.Namespace != ds.Namespace {
			continue
		}
		owner, matches := metav1.GetControllerOfNoCopy(r), selector.Matches(labels.Set(r.Labels))
		switch {
		case owner != nil && owner.UID != ds.UID:
		case owner != nil && matches:
			c.owned = append(c.owned, r)
		case deleting:
		case owner != nil:
			c.strays = append(c.strays, r)
		case matches && r.DeletionTimestamp == nil:
			c.orphans = append(c.orphans, r)
		}
	}
	for _, l := range [][]*appsv1.ControllerRevision{c.owned, c.orphans, c.strays} {
		slices.SortFunc(l, order)
	}
	return c, nil
}

// selectorOf refuses an empty selector, as the API server does: all revisions of the namespace would be adopted (U064). It
// refuses an absent one, for which all owned revisions would be let go.
func selectorOf(ds *appsv1.DaemonSet) (labels.Selector, error) {
	selector, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("selector: %w", err)
	}
	if ds.Spec.Selector == nil || selector.Empty() {
		return nil, errors.New("selector is empty")
	}
	return selector, nil
}

// order is that of the history: by number, and by age and name where numbers are equal.
func order(a, b *appsv1.ControllerRevision) int {
	return cmp.Or(
		cmp.Compare(a.Revision, b.Revision),
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Name, b.Name),
	)
}

// adopted is a copy with this DaemonSet as controller. Its template generation was counted by another one, so the copy
// is marked, unless it was this one's before.
func adopted(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) *appsv1.ControllerRevision {
	out := r.DeepCopy()
	out.OwnerReferences = append(out.OwnerReferences, *metav1.NewControllerRef(ds, daemonSetKind))
	if out.Annotations[GenerationOf] != string(ds.UID) {
		if out.Annotations == nil {
			out.Annotations = map[string]string{}
		}
		out.Annotations[GenerationOf] = ""
	}
	return out
}

// released is a copy without this DaemonSet as owner.
func released(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) *appsv1.ControllerRevision {
	out := r.DeepCopy()
	out.OwnerReferences = slices.DeleteFunc(out.OwnerReferences, func(ref metav1.OwnerReference) bool { return ref.UID == ds.UID })
	return out
}
