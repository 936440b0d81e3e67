package snapshot

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// Node is what is kept of a node.
type Node struct {
	Name    string            `json:"name"`
	UID     types.UID         `json:"uid"`
	Version uint64            `json:"version"`
	Labels  map[string]string `json:"labels,omitempty"`
	Taints  []corev1.Taint    `json:"taints,omitempty"`
	Created time.Time         `json:"created"`
	// Cordoned is spec.unschedulable; Deleted is when its deletion was asked for.
	Cordoned bool       `json:"cordoned,omitempty"`
	Deleted  *time.Time `json:"deleted,omitempty"`
	// Ready is the Ready condition's status; Reason, Message and Since go with it.
	Ready   corev1.ConditionStatus `json:"ready"`
	Reason  string                 `json:"reason,omitempty"`
	Message string                 `json:"message,omitempty"`
	Since   time.Time              `json:"since"`
	// Allocatable is status.allocatable.
	Allocatable corev1.ResourceList `json:"allocatable,omitempty"`
}

// AddNode keeps what decides and what a person asks for.
func (s *Snapshot) AddNode(o *corev1.Node) error {
	v, err := version("Node "+o.Name, o.ResourceVersion)
	if err != nil {
		return err
	}
	n := Node{
		Name: o.Name, UID: o.UID, Version: v, Labels: o.Labels, Taints: o.Spec.Taints, Created: o.CreationTimestamp.Time,
		Cordoned: o.Spec.Unschedulable, Ready: corev1.ConditionUnknown, Allocatable: o.Status.Allocatable,
	}
	if o.DeletionTimestamp != nil {
		n.Deleted = &o.DeletionTimestamp.Time
	}
	for i := range o.Status.Conditions {
		if c := &o.Status.Conditions[i]; c.Type == corev1.NodeReady {
			n.Ready, n.Reason, n.Since = c.Status, c.Reason, c.LastTransitionTime.Time
			if c.Status != corev1.ConditionTrue {
				n.Message = c.Message
			}
		}
	}
	s.Nodes = append(s.Nodes, n)
	return nil
}

// Fact is the node as decisions know it.
func (n *Node) Fact() *fleet.Node {
	return &fleet.Node{
		Name: n.Name, UID: n.UID, Version: fleet.Version(n.Version), Labels: n.Labels, Taints: n.Taints,
		Ready: n.Ready == corev1.ConditionTrue, Allocatable: fleet.NewResources(n.Allocatable),
	}
}

// version reads a resourceVersion as the number that it is.
func version(what, resourceVersion string) (uint64, error) {
	v, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: metadata.resourceVersion %q is no number: everynode needs an API server that counts them up", what, resourceVersion)
	}
	return v, nil
}
