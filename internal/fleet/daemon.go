package fleet

import (
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// Daemon is what is known of one DaemonSet and of its slots.
type Daemon struct {
	Key     types.NamespacedName
	UID     types.UID
	Version Version
	// Object is the DaemonSet as read; it is shared and must not be modified.
	Object *appsv1.DaemonSet
	// Requests, HostPorts and Priority are what one Pod of the template takes on a node.
	Requests  Resources
	HostPorts []HostPort
	Priority  int32

	// Seen is when this controller first knew the DaemonSet.
	Seen time.Time
	// Approved is the hash of the last revision of which the API server accepted a Pod in a dry run.
	Approved string
	// Stalled holds back adoption, history and dry runs after one of them was refused, or while a change to the history or a dry run
	// is under way; StalledWhy says why, and Awaited counts those under way.
	Stalled    Backoff
	StalledWhy Reason
	Awaited    int

	selector labels.Selector
	judge    Judge
	slots    map[string]*Slot
	order    []*Slot // by node name; nil after a slot came or went
	changed  []*Slot // marked ones, each once
	kinds    map[PodKind]int
	orphans  []*Pod // by ComparePods
	// orphansOn are the same by node.
	orphansOn map[string]map[*Pod]struct{}
	// history are the DaemonSet's revisions; nil if they have to be gathered anew.
	history  []*appsv1.ControllerRevision
	astray   map[*Pod]struct{}
	released map[*Pod]struct{}
	creates  map[string]Creates // by node; a node that goes and comes back changes nothing about what is on its way
}

// Deleting tells that the DaemonSet has a deletionTimestamp; nothing is decided for it then (U065).
func (d *Daemon) Deleting() bool { return d.Object.DeletionTimestamp != nil }

// Matches tells whether the DaemonSet's selector matches these labels. A nil or invalid selector matches nothing (U064).
func (d *Daemon) Matches(l map[string]string) bool { return d.selector.Matches(labels.Set(l)) }

// Slots are the DaemonSet's slots, ordered by node name. The list must not be modified.
func (d *Daemon) Slots() []*Slot {
	if d.order == nil {
		d.order = slices.SortedFunc(maps.Values(d.slots), func(a, b *Slot) int { return strings.Compare(a.NodeName, b.NodeName) })
	}
	return d.order
}

// Slot is the slot on that node, or nil.
func (d *Daemon) Slot(node string) *Slot { return d.slots[node] }

// Astray are the DaemonSet's Pods that name no node at all; they count nowhere (U040). Ordered by name.
func (d *Daemon) Astray() []*Pod { return sortedPods(d.astray) }

// Mismatched are owned Pods that the selector does not match, which are to be released (U052). Ordered by name.
func (d *Daemon) Mismatched() []*Pod { return sortedPods(d.released) }

// EachPod calls yield for every Pod that the DaemonSet owns and whose labels match.
func (d *Daemon) EachPod(yield func(*Pod) bool) {
	for _, s := range d.Slots() {
		for _, p := range s.Pods {
			if !yield(p) {
				return
			}
		}
	}
	for p := range d.astray {
		if !yield(p) {
			return
		}
	}
}

func sortedPods(set map[*Pod]struct{}) []*Pod {
	return slices.SortedFunc(maps.Keys(set), ComparePods)
}

// Slot is what is known of one DaemonSet on one node.
type Slot struct {
	NodeName string
	// Node is nil when no node of that name exists.
	Node    *Node
	Verdict Verdict
	// Pods are the DaemonSet's Pods on the node, in the order of ComparePods, terminal ones included.
	Pods []*Pod
	// Served tells that a Pod was made here since this controller knows the node.
	Served bool
	marked bool
	// trouble is nil for most of the millions of slots.
	trouble *Trouble
}

// Trouble is what went wrong on a slot; its zero value is none.
type Trouble struct {
	// Failures holds back the replacement of failed Pods (U097); Refusals the next call after a refused one.
	Failures, Refusals Backoff
	// Refused is the API server's text of the last refused call, empty after a success.
	Refused string
	// Taken is the UID of a foreign Pod that holds the derived name.
	Taken types.UID
	// GoneSince is when the node was first known to be missing while Pods were bound to it.
	GoneSince time.Time
}

// Trouble gives what went wrong on the slot.
func (s *Slot) Trouble() Trouble {
	if s.trouble == nil {
		return Trouble{}
	}
	return *s.trouble
}

// Note changes what is known of the slot's trouble.
func (s *Slot) Note(change func(*Trouble)) {
	t := s.Trouble()
	if change(&t); t == (Trouble{}) {
		s.trouble = nil
		return
	}
	s.trouble = &t
}

// Backoff is a doubling delay; its zero value does not wait.
type Backoff struct {
	// Until is the moment before which nothing is tried.
	Until time.Time
	// Delay is the last delay.
	Delay time.Duration
	// Epoch is the template generation that the delay belongs to; another one starts afresh (U098).
	Epoch int64
}

// Waits tells whether now is still within the backoff of that epoch.
func (b Backoff) Waits(now time.Time, epoch int64) bool {
	return b.Epoch == epoch && now.Before(b.Until)
}

// Next is the backoff after one more failure at now. It starts afresh in another epoch, or after a calm period that is
// longer than both calm and twice the last delay.
func (b Backoff) Next(now time.Time, epoch int64, first, longest, calm time.Duration) Backoff {
	delay := first
	if b.Epoch == epoch && b.Delay > 0 && now.Before(b.Until.Add(max(calm, 2*b.Delay))) {
		delay = min(2*b.Delay, longest)
	}
	return Backoff{Until: now.Add(delay), Delay: delay, Epoch: epoch}
}

func newDaemon(o *appsv1.DaemonSet, version Version, priority int32, judge Judge) *Daemon {
	selector, err := metav1.LabelSelectorAsSelector(o.Spec.Selector)
	if err != nil {
		selector = labels.Nothing() // the API server validates selectors; what cannot be read selects nothing
	}
	spec := &o.Spec.Template.Spec
	d := &Daemon{
		Key: types.NamespacedName{Namespace: o.Namespace, Name: o.Name}, UID: o.UID, Version: version, Object: o,
		Requests: requestsOf(spec), HostPorts: hostPortsOf(spec), Priority: priority,
		selector: selector, judge: judge,
		creates: map[string]Creates{}, kinds: map[PodKind]int{}, orphansOn: map[string]map[*Pod]struct{}{}, slots: map[string]*Slot{}, astray: map[*Pod]struct{}{}, released: map[*Pod]struct{}{},
	}
	return d
}

// PriorityOf is the priority that Pods of a template get, as far as the template tells: its own number, or that of the
// two classes that every cluster has. Other classes count as 0.
func PriorityOf(spec *corev1.PodSpec) int32 {
	const systemCritical = 2_000_000_000
	switch {
	case spec.Priority != nil:
		return *spec.Priority
	case spec.PriorityClassName == "system-node-critical":
		return systemCritical + 1000
	case spec.PriorityClassName == "system-cluster-critical":
		return systemCritical
	default:
		return 0
	}
}

func (d *Daemon) slotFor(name string) *Slot {
	if s := d.slots[name]; s != nil {
		return s
	}
	s := &Slot{NodeName: name, Verdict: Verdict{Decision: Leave, Reason: Reason{Code: NodeGone}}}
	d.slots[name] = s
	d.order = nil
	return s
}

func (d *Daemon) dropSlot(s *Slot) {
	delete(d.slots, s.NodeName)
	d.order = nil
	d.mark(s)
}
