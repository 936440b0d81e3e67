package revision

import (
	"bytes"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Outcome says what to do when the name of a new revision is taken.
type Outcome uint8

// The three outcomes.
const (
	// Collision: the name belongs to something else. Count status.collisionCount up by one, if the DaemonSet as it is
	// now still has the count that the name was made with; the next name is another (U192).
	Collision Outcome = iota
	// UseExisting: it is the wanted revision already; an answer was lost, or a cache was behind.
	UseExisting
	// AdoptExisting: it holds the template and nobody controls it; Reconcile asks for the adoption once it is given it.
	AdoptExisting
)

// String names the outcome.
func (o Outcome) String() string {
	return [...]string{"collision", "use", "adopt"}[o]
}

// Collide decides about existing, read live, after the server has refused to create wanted because of its name.
// Upstream uses whatever has equal data; here, what others control is not used, as they may change or delete it.
func Collide(ds *appsv1.DaemonSet, existing, wanted *appsv1.ControllerRevision) Outcome {
	selector, err := selectorOf(ds)
	if err != nil || !selector.Matches(labels.Set(existing.Labels)) {
		return Collision // to be released, or never to be claimed
	}
	if !bytes.Equal(existing.Data.Raw, wanted.Data.Raw) && !sameMeaning(existing, wanted.Data.Raw) {
		return Collision
	}
	switch owner := metav1.GetControllerOfNoCopy(existing); {
	case owner != nil && owner.UID == ds.UID:
		return UseExisting
	case owner == nil && existing.DeletionTimestamp == nil && ds.DeletionTimestamp == nil:
		return AdoptExisting
	default:
		return Collision
	}
}
