package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// DaemonSetKind is the kind that a controller reference to a DaemonSet carries.
const DaemonSetKind = "DaemonSet"

// TemplateGenerationLabel is the label that apps/v1 serves beside the hash label (U140, U141).
const TemplateGenerationLabel = "pod-template-generation"

// Pod is what is known of one Pod, of any owner.
type Pod struct {
	Name string
	// UID is empty while the create call is in flight.
	UID     types.UID
	Version Version
	// On is the node that the Pod is bound to, or, where Bound is false, the one that it is pinned to and waits for; empty if there is
	// neither (U039, U041).
	On string
	// Shape is never nil.
	*Shape
	// Why is status.reason and status.message of a Failed or Succeeded Pod; nil where there is neither.
	Why *Reason
	// Ready is the Ready condition; ReadyStamp is its transition time by the kubelet's clock, and ReadySince the moment
	// by this controller's clock from which minReadySeconds counts.
	ReadyStamp Stamp
	ReadySince time.Time
	Created    Stamp
	Phase      Phase
	Ready      bool
	// Bound tells that spec.nodeName is set.
	Bound bool
	// ClockUnclear tells that nobody saw the Pod turn Ready: for how long it has been, only a stamp of the kubelet's clock says.
	ClockUnclear bool
	// Terminating tells that deletionTimestamp is set.
	Terminating bool
	// Creating: a create call is in flight; the Pod may or may not come to exist.
	Creating bool
	// Deleting: the API server has been, or is being, asked to delete this Pod.
	Deleting bool
	// Forced: the API server has been, or is being, asked to end this Pod at once, as its node is gone.
	Forced bool
	// Patching: an adoption, release or relabelling is in flight.
	Patching bool
	// place is where the herd has it.
	place uint32
}

// Shape is what the Pods of one template have in common. Pods share it, so it is never modified.
type Shape struct {
	Namespace string
	// Owner is the UID of the controller reference, of any kind; empty for an orphan. OwnerKind and OwnerName go with it.
	Owner                types.UID
	OwnerKind, OwnerName string
	Labels               map[string]string
	// Priority, Requests and HostPorts say what the Pod takes on its node.
	Priority  int32
	Requests  Resources
	HostPorts []HostPort
}

// Equal tells whether Pods of both shapes are alike.
func (s *Shape) Equal(o *Shape) bool {
	return s == o || s.Namespace == o.Namespace && s.Owner == o.Owner && s.OwnerKind == o.OwnerKind && s.OwnerName == o.OwnerName && s.Priority == o.Priority && s.takesAs(o) && maps.Equal(s.Labels, o.Labels)
}

// takesAs tells whether both take the same on their nodes.
func (s *Shape) takesAs(o *Shape) bool {
	return s == o || s.Requests.Equal(o.Requests) && slices.Equal(s.HostPorts, o.HostPorts)
}

// NewPod reads a fact from an API object. target gives the node that an unbound Pod is pinned to.
func NewPod(o *corev1.Pod, version Version, target string) *Pod {
	p := &Pod{
		Version: version, On: o.Spec.NodeName, Bound: o.Spec.NodeName != "", Phase: PhaseOf(o.Status.Phase),
		Created: StampOf(o.CreationTimestamp.Time), Terminating: o.DeletionTimestamp != nil,
		Shape: &Shape{Namespace: o.Namespace, Labels: o.Labels, Requests: requestsOf(&o.Spec), HostPorts: hostPortsOf(&o.Spec)},
	}
	names := o.Name + string(o.UID) // kept together
	p.Name, p.UID = names[:len(o.Name)], types.UID(names[len(o.Name):])
	if !p.Bound {
		p.On = target
	}
	if o.Spec.Priority != nil {
		p.Priority = *o.Spec.Priority
	}
	if ref := metav1.GetControllerOfNoCopy(o); ref != nil {
		p.Owner, p.OwnerKind, p.OwnerName = ref.UID, ref.Kind, ref.Name
	}
	if p.Terminal() && o.Status.Reason+o.Status.Message != "" {
		p.Why = &Reason{Code: Code(o.Status.Reason), Detail: o.Status.Message}
	}
	for i := range o.Status.Conditions {
		if c := &o.Status.Conditions[i]; c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			p.Ready, p.ReadyStamp = true, StampOf(c.LastTransitionTime.Time)
		}
	}
	return p
}

// Key is the Pod's namespaced name.
func (p *Pod) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}

// Node is spec.nodeName: the node that the Pod is bound to, or empty.
func (p *Pod) Node() string {
	if p.Bound {
		return p.On
	}
	return ""
}

// Terminal tells that the Pod's containers have ended for good.
func (p *Pod) Terminal() bool {
	return p.Phase == PhaseFailed || p.Phase == PhaseSucceeded
}

// Leaving tells that the Pod is being deleted, or that its deletion has been asked for.
func (p *Pod) Leaving() bool { return p.Terminating || p.Deleting }

// Gone tells that the Pod no longer stands in the way of another: terminal and on its way out (U073).
func (p *Pod) Gone() bool { return p.Terminal() && p.Leaving() }

// Hash is the value of the label controller-revision-hash, or empty.
func (p *Pod) Hash() string { return p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] }

// AvailableAt is when the Pod has been Ready for minReady; ok is false while it is not Ready.
func (p *Pod) AvailableAt(minReady time.Duration) (at time.Time, ok bool) {
	if !p.Ready {
		return time.Time{}, false
	}
	return p.ReadySince.Add(minReady), true
}

// clock sets ReadySince. Who saw the Pod turn Ready trusts its own clock. Who did not, after a restart, has only the
// stamp, and turns it into its own time once, so that no later jump of either clock makes a Pod available or delays it;
// a stamp in the future counts as now. A kubelet's clock may be ahead by so much that the stamp is just over. old is the Pod as it was
// known before, or nil; seen tells that its changes are told of as they happen: who finds it Ready in a list counts from then, and
// knows that it may have been so for longer.
func (p *Pod) clock(old *Pod, now time.Time, seen bool) {
	switch {
	case !p.Ready:
	case old != nil && old.Ready && old.ReadyStamp == p.ReadyStamp:
		p.ReadySince, p.ClockUnclear = old.ReadySince, old.ClockUnclear
	case old != nil || p.ReadyStamp == 0:
		p.ReadySince, p.ClockUnclear = now, !seen
	default:
		p.ReadySince, p.ClockUnclear = now.Add(-max(0, now.Sub(p.ReadyStamp.Time()))), true
	}
}

// ComparePods orders the Pods of one node: bound first, then older, then by name (U080).
func ComparePods(a, b *Pod) int {
	if a.Bound != b.Bound {
		if a.Bound {
			return -1
		}
		return 1
	}
	if c := cmp.Compare(a.Created, b.Created); c != 0 {
		return c
	}
	return cmp.Compare(a.Name, b.Name)
}

// same tells whether the difference between two versions of a Pod matters to any decision.
func (p *Pod) same(o *Pod) bool {
	return p.UID == o.UID && p.On == o.On && p.Bound == o.Bound && p.Owner == o.Owner &&
		p.Phase == o.Phase && ptr.Equal(p.Why, o.Why) && p.Ready == o.Ready && p.ReadyStamp == o.ReadyStamp &&
		p.Terminating == o.Terminating && p.Creating == o.Creating &&
		(p.Shape == o.Shape || p.takesAs(o.Shape) && maps.Equal(p.Labels, o.Labels))
}

// frees tells whether going from p to o, which may be another Pod of that name, gives room or ports back to p's node.
func (p *Pod) frees(o *Pod) bool {
	return o == nil || (o.Terminal() && !p.Terminal()) || o.Node() != p.Node() || (p.UID != o.UID && !p.Creating) ||
		!p.takesAs(o.Shape)
}

// ResourceVersion is Version as the API has it.
func (p *Pod) ResourceVersion() string { return strconv.FormatUint(uint64(p.Version), 10) }
