package fleet

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Node is what is known of one node. Pods is kept by the Fleet; all else is the fact as read.
type Node struct {
	Name string
	UID  types.UID
	// Version is the resourceVersion that the fact was read at.
	Version Version
	Labels  map[string]string
	Taints  []corev1.Taint
	// Ready is the node's Ready condition. Placement never looks at it (U007); it explains why Pods are not ready.
	Ready bool
	// Allocatable is status.allocatable, pods included.
	Allocatable Resources

	// Seen is when this controller first knew the node.
	Seen time.Time

	// zone is the zone's label once it was looked up.
	zone    *string
	pods    crowd
	waiters map[*Slot]*Daemon
}

// NewNode reads a fact from an API object; version is the object's parsed resourceVersion.
func NewNode(o *corev1.Node, version Version) *Node {
	n := &Node{
		Name: o.Name, UID: o.UID, Version: version,
		Labels: o.Labels, Taints: o.Spec.Taints,
		Allocatable: NewResources(o.Status.Allocatable),
	}
	for i := range o.Status.Conditions {
		if c := &o.Status.Conditions[i]; c.Type == corev1.NodeReady {
			n.Ready = c.Status == corev1.ConditionTrue
		}
	}
	return n
}

// Zone is the label topology.kubernetes.io/zone, or empty. The Fleet's goroutine asks.
func (n *Node) Zone() string {
	if n.zone == nil {
		zone := n.Labels[corev1.LabelTopologyZone]
		n.zone = &zone
	}
	return *n.zone
}

// EachPod calls yield for every Pod that is bound to this node or being created on it, of any owner, in no order.
func (n *Node) EachPod(yield func(*Pod) bool) {
	for _, p := range n.pods {
		if !yield(p) {
			return
		}
	}
}

// placementEqual tells whether verdicts on both are the same whatever the template says.
func (n *Node) placementEqual(o *Node) bool {
	return n.UID == o.UID && maps.Equal(n.Labels, o.Labels) && slices.EqualFunc(n.Taints, o.Taints, sameTaint)
}

func sameTaint(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect
}
