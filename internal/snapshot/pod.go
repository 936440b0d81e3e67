package snapshot

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// Pod is what is kept of a Pod, of any owner: what decides, and what its containers do.
type Pod struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	UID       types.UID         `json:"uid"`
	Version   uint64            `json:"version"`
	Node      string            `json:"node,omitempty"`
	Target    string            `json:"target,omitempty"`
	Owner     *Owner            `json:"owner,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Created   time.Time         `json:"created"`
	// Deleted is when deletion was asked for, and Ends when the kubelet should be done with it.
	Deleted    *time.Time      `json:"deleted,omitempty"`
	Ends       *time.Time      `json:"ends,omitempty"`
	Finalizers []string        `json:"finalizers,omitempty"`
	Phase      corev1.PodPhase `json:"phase"`
	Why        *Why            `json:"why,omitempty"`
	Ready      *Condition      `json:"ready,omitempty"`
	Scheduled  *Condition      `json:"scheduled,omitempty"` // while it is not
	Priority   int32           `json:"priority,omitempty"`
	Requests   Resources       `json:"requests"`
	HostPorts  []HostPort      `json:"hostPorts,omitempty"`
	// Containers are those of which there is more to tell than that they run.
	Containers []Container `json:"containers,omitempty"`
	// Pinned tells that the Pod was bound to its node by affinity rather than by name at creation.
	Pinned bool `json:"pinned,omitempty"`
}

// Owner is the controller reference.
type Owner struct {
	UID  types.UID `json:"uid"`
	Kind string    `json:"kind"`
	Name string    `json:"name"`
}

// Why is a status's reason and message.
type Why struct {
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Condition is a condition of a Pod.
type Condition struct {
	Status  corev1.ConditionStatus `json:"status"`
	Since   time.Time              `json:"since"`
	Reason  string                 `json:"reason,omitempty"`
	Message string                 `json:"message,omitempty"`
}

// Resources are amounts as decisions know them.
type Resources struct {
	MilliCPU  int64                         `json:"milliCPU,omitempty"`
	Memory    int64                         `json:"memory,omitempty"`
	Ephemeral int64                         `json:"ephemeral,omitempty"`
	Pods      int64                         `json:"pods,omitempty"`
	Extended  map[corev1.ResourceName]int64 `json:"extended,omitempty"`
}

// HostPort is a port that a Pod takes on its node.
type HostPort struct {
	IP       string          `json:"ip,omitempty"`
	Protocol corev1.Protocol `json:"protocol"`
	Port     int32           `json:"port"`
}

// AddPod keeps what decides and what a person asks for.
func (s *Snapshot) AddPod(o *corev1.Pod) error {
	v, err := version("Pod "+o.Namespace+"/"+o.Name, o.ResourceVersion)
	if err != nil {
		return err
	}
	target := ""
	if o.Spec.NodeName == "" {
		target, _ = match.Target(&o.Spec)
	}
	f := fleet.NewPod(o, fleet.Version(v), target)
	p := Pod{
		Namespace: f.Namespace, Name: f.Name, UID: f.UID, Version: v, Node: f.Node(), Target: target, Labels: f.Labels,
		Created: f.Created.Time(), Finalizers: o.Finalizers, Phase: o.Status.Phase, Priority: f.Priority,
		Requests: Resources(f.Requests), Containers: containersOf(o), Pinned: pinned(&o.Spec),
	}
	for _, port := range f.HostPorts {
		p.HostPorts = append(p.HostPorts, HostPort(port))
	}
	if f.Owner != "" {
		p.Owner = &Owner{UID: f.Owner, Kind: f.OwnerKind, Name: f.OwnerName}
	}
	if f.Why != nil {
		p.Why = &Why{Reason: string(f.Why.Code), Message: f.Why.Detail}
	}
	p.times(o)
	p.conditions(o)
	s.Pods = append(s.Pods, p)
	return nil
}

// times reads when deletion was asked for: the API shows the moment at which it should be over.
func (p *Pod) times(o *corev1.Pod) {
	if o.DeletionTimestamp == nil {
		return
	}
	ends := o.DeletionTimestamp.Time
	asked := ends
	if o.DeletionGracePeriodSeconds != nil {
		asked = ends.Add(-time.Duration(*o.DeletionGracePeriodSeconds) * time.Second)
	}
	p.Ends, p.Deleted = &ends, &asked
}

func (p *Pod) conditions(o *corev1.Pod) {
	for i := range o.Status.Conditions {
		c := &o.Status.Conditions[i]
		kept := &Condition{Status: c.Status, Since: c.LastTransitionTime.Time}
		if c.Status != corev1.ConditionTrue {
			kept.Reason, kept.Message = c.Reason, c.Message
		}
		switch {
		case c.Type == corev1.PodReady:
			p.Ready = kept
		case c.Type == corev1.PodScheduled && c.Status != corev1.ConditionTrue:
			p.Scheduled = kept
		}
	}
}

// pinned tells a Pod that a scheduler had to bind: its affinity names a node.
func pinned(spec *corev1.PodSpec) bool {
	unbound := corev1.PodSpec{Affinity: spec.Affinity}
	_, ok := match.Target(&unbound)
	return ok
}

// Fact is the Pod as decisions know it.
func (p *Pod) Fact() *fleet.Pod {
	f := &fleet.Pod{
		Name: p.Name, UID: p.UID, Version: fleet.Version(p.Version), On: cmp.Or(p.Node, p.Target), Bound: p.Node != "",
		Phase: fleet.PhaseOf(p.Phase), Created: fleet.StampOf(p.Created), Terminating: p.Deleted != nil,
		Shape: &fleet.Shape{Namespace: p.Namespace, Labels: p.Labels, Priority: p.Priority, Requests: fleet.Resources(p.Requests)},
	}
	for _, port := range p.HostPorts {
		f.HostPorts = append(f.HostPorts, fleet.HostPort(port))
	}
	if p.Owner != nil {
		f.Owner, f.OwnerKind, f.OwnerName = p.Owner.UID, p.Owner.Kind, p.Owner.Name
	}
	if p.Why != nil {
		f.Why = &fleet.Reason{Code: fleet.Code(p.Why.Reason), Detail: p.Why.Message}
	}
	if p.Ready != nil && p.Ready.Status == corev1.ConditionTrue {
		f.Ready, f.ReadyStamp = true, fleet.StampOf(p.Ready.Since)
	}
	return f
}

// Key is the Pod's namespace and name.
func (p *Pod) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}
