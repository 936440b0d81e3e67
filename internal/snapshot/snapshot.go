package snapshot

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/live"
)

// Snapshot is what was read of one cluster.
type Snapshot struct {
	// Taken is when, by the reader's clock; Server is the API server's version.
	Taken  time.Time
	Server string

	Nodes      []Node
	Pods       []Pod
	DaemonSets []*appsv1.DaemonSet
	Revisions  []*appsv1.ControllerRevision
	Events     []Event
	// Leases are those that tell which controllers run.
	Leases []Lease
	// Quotas are the ResourceQuotas of the DaemonSets' namespaces; only a plan needs them.
	Quotas []*corev1.ResourceQuota
	// Missing is what could not be read.
	Missing []Missing
	// Live is what everynode's controller told of its DaemonSets.
	Live []live.State
	// Redacted tells that names were replaced.
	Redacted bool
}

// Missing is one thing that could not be read, and what that means.
type Missing struct {
	// Verb and Resource are what RBAC would have to allow; Namespace is empty for all of them.
	Verb      string `json:"verb"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace,omitempty"`
	// Why is the server's answer in short, Effect what cannot be told without it.
	Why    string `json:"why"`
	Effect string `json:"effect"`
}

// Event is an Event about a DaemonSet.
type Event struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"` // of the DaemonSet
	UID       types.UID `json:"uid,omitempty"`
	Type      string    `json:"type"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Count     int32     `json:"count,omitempty"`
	Source    string    `json:"source,omitempty"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// Lease tells who leads.
type Lease struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Holder    string    `json:"holder"`
	Renewed   time.Time `json:"renewed"`
	Seconds   int32     `json:"seconds"`
}

// Held tells whether somebody held the lease at that moment. Clocks may differ by another lease's length.
func (l *Lease) Held(now time.Time) bool {
	return l.Holder != "" && now.Before(l.Renewed.Add(2*time.Duration(l.Seconds)*time.Second))
}

// AddDaemonSet keeps a DaemonSet without what only the API server needs. What kubectl applied the last time stays: a plan needs it
// to tell what the next apply will remove.
func (s *Snapshot) AddDaemonSet(ds *appsv1.DaemonSet) {
	trimManagers(ds.ManagedFields)
	s.DaemonSets = append(s.DaemonSets, ds)
}

// AddQuota keeps what a ResourceQuota allows, and what is used of it.
func (s *Snapshot) AddQuota(q *corev1.ResourceQuota) {
	s.Quotas = append(s.Quotas, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: q.Namespace, Name: q.Name}, Spec: q.Spec, Status: q.Status})
}

// trimManagers keeps who wrote what part when, and drops which fields.
func trimManagers(entries []metav1.ManagedFieldsEntry) {
	for i := range entries {
		entries[i].FieldsV1, entries[i].FieldsType = nil, ""
	}
}

// AddRevision keeps a ControllerRevision if it may be a DaemonSet's: StatefulSets have them too.
func (s *Snapshot) AddRevision(r *appsv1.ControllerRevision) {
	if ref := metav1.GetControllerOfNoCopy(r); ref != nil && ref.Kind != "DaemonSet" {
		return
	}
	r.ManagedFields = nil
	s.Revisions = append(s.Revisions, r)
}
