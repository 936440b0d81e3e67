package live

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// Version is the version of State's JSON form.
const Version = "everynode.dev/live.v1"

// PathPrefix is where a controller answers: PathPrefix + namespace + "/" + name.
const PathPrefix = "/debug/everynode/daemonsets/"

// LeaseName is the name of the lease that a controller's replicas compete for.
const LeaseName = "everynode-controller"

// State is what a controller knows of one DaemonSet beside what the API shows.
type State struct {
	Version   string    `json:"version"`
	Taken     time.Time `json:"taken"`
	Placement string    `json:"placement"`
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       types.UID `json:"uid"`
	// Generation is the DaemonSet's generation that the controller has seen.
	Generation int64 `json:"generation"`
	// Approved is the hash of the last revision that the API server accepted in a dry run.
	Approved string `json:"approved,omitempty"`
	// Held holds back adoption, history and dry runs.
	Held *Backoff `json:"held,omitempty"`
	// Calls is how many calls are in flight for the DaemonSet; StatusUnderWay tells of one more, for its status.
	Calls          int  `json:"calls"`
	StatusUnderWay bool `json:"statusUnderWay,omitempty"`
	// StandsSince is since when the rollout only waits, for the same nodes, if it does.
	StandsSince *time.Time `json:"standsSince,omitempty"`
	// Next is when the controller looks at the DaemonSet again with no event.
	Next *time.Time `json:"next,omitempty"`
	// Nodes are those of which there is something to tell, ordered by name.
	Nodes []Node `json:"nodes,omitempty"`
}

// Backoff is a pause after a failure.
type Backoff struct {
	Until time.Time `json:"until"`
	// Seconds is how long the pause is, Epoch the DaemonSet's generation that it belongs to.
	Seconds float64 `json:"seconds,omitempty"`
	Epoch   int64   `json:"epoch"`
	// Code and Text say what it is for: the API server's words, where it refused.
	Code fleet.Code `json:"code,omitempty"`
	Text string     `json:"text,omitempty"`
}

// Node is what is known of one node for this DaemonSet.
type Node struct {
	Name string `json:"name"`
	// Failures holds back the replacement of failed Pods, Refused the next call after one that the API server refused.
	Failures *Backoff `json:"failures,omitempty"`
	Refused  *Backoff `json:"refused,omitempty"`
	// Taken is the UID of a foreign Pod that holds the derived name.
	Taken types.UID `json:"taken,omitempty"`
	// GoneSince is when the node was first known to be missing.
	GoneSince *time.Time `json:"goneSince,omitempty"`
	// Creates is how many create calls are in flight. Unsure is the Pod of one that was never answered and may appear until Till.
	Creates int        `json:"creates,omitempty"`
	Unsure  string     `json:"unsure,omitempty"`
	Till    *time.Time `json:"till,omitempty"`
	// Pods are those with a call in flight, or with a clock of their own.
	Pods []Pod `json:"pods,omitempty"`
}

// Pod is what is known of one Pod.
type Pod struct {
	Name       string     `json:"name"`
	Call       string     `json:"call,omitempty"` // creating, deleting, ending at once, patching
	ReadySince *time.Time `json:"readySince,omitempty"`
}

// The values of Pod.Call.
const (
	Creating = "creating"
	Deleting = "deleting"
	Forcing  = "ending at once"
	Patching = "patching"
)

// Check tells why a State cannot be used, or nil.
func (s *State) Check() error {
	if s.Version != Version {
		return fmt.Errorf("the controller tells its state as %q, and this program reads %q: use an everynode of the controller's version", s.Version, Version)
	}
	return nil
}

// Key is the DaemonSet's namespace and name.
func (s *State) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: s.Namespace, Name: s.Name}
}
