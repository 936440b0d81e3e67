package explain

import (
	"slices"
	"time"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

// Version is the version of what this package gives to programs.
const Version = "everynode.dev/explain.v1"

// Answer is the short form: does it run there?
type Answer string

// The answers.
const (
	// Runs: there is a Pod, and it is available. It may be outdated.
	Runs Answer = "runs"
	// ShouldRun: there should be one, and there is none, or none that serves.
	ShouldRun Answer = "should run"
	// MayStay: a Pod that is there stays, and no new one would be made.
	MayStay Answer = "may stay"
	// MustNot: there may be none.
	MustNot Answer = "must not run"
	// Unknown: what would decide may not be read.
	Unknown Answer = "may run or not"
)

// Reason is a fleet.Reason for programs.
type Reason struct {
	Code   fleet.Code `json:"code"`
	Detail string     `json:"detail,omitempty"`
}

// Check is one test of the node, with what decided it.
type Check struct {
	// What was looked at: nodeSelector, taint, node, cpu, port and so on.
	What string `json:"what"`
	Pass bool   `json:"pass"`
	// Subject is what was asked for, Detail what was found.
	Subject string `json:"subject"`
	Detail  string `json:"detail,omitempty"`
}

// Pod is a Pod on the node, in words.
type Pod struct {
	Name string `json:"name"`
	// State is what it does: available, ready, running, pending, terminating, failed and so on.
	State string `json:"state"`
	// Revision is its revision's hash; Outdated tells that it is not the current one.
	Revision string `json:"revision,omitempty"`
	Outdated bool   `json:"outdated,omitempty"`
	Age      string `json:"age"`
	// Facts are what is to be known of its containers, its end, its owner.
	Facts []string `json:"facts,omitempty"`
}

// Node is all about one node.
type Node struct {
	Version   string  `json:"version"`
	Namespace string  `json:"namespace"`
	DaemonSet string  `json:"daemonSet"`
	Node      string  `json:"node"`
	Answer    Answer  `json:"answer"`
	Reason    Reason  `json:"reason"`
	Checks    []Check `json:"checks"`
	Pods      []Pod   `json:"pods,omitempty"`
	// Blocked is what stands in the way now, one clause each; the first belongs to Reason.
	Blocked []string `json:"blocked,omitempty"`
	// Next is what happens next, and Until when, where time alone decides.
	Next  string     `json:"next"`
	Until *time.Time `json:"until,omitempty"`
	// Changes are the smallest ones that would turn a no into a yes; all of them are needed, but those that begin with "or".
	Changes []string `json:"changes,omitempty"`
	// Same is how many other nodes have the same reason.
	Same   int             `json:"same"`
	Runner snapshot.Runner `json:"runner"`
	Live   bool            `json:"live"` // the controller's own state was used
	Taken  time.Time       `json:"taken"`
}

// Line is one node in short.
type Line struct {
	Node   string     `json:"node"`
	Answer Answer     `json:"answer"`
	Reason Reason     `json:"reason"`
	Pod    string     `json:"pod,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
}

// Group are the nodes with one reason.
type Group struct {
	Code   fleet.Code `json:"code"`
	Answer Answer     `json:"answer"`
	Nodes  int        `json:"nodes"`
	// Details are the most frequent ones, with how many nodes have each.
	Details []Detail `json:"details,omitempty"`
	// Examples are a few of the nodes.
	Examples []string `json:"examples"`
}

// Detail is what decided, for so many nodes.
type Detail struct {
	Text  string `json:"text"`
	Nodes int    `json:"nodes"`
}

// DaemonSet is a DaemonSet with its nodes grouped by reason.
type DaemonSet struct {
	Version   string          `json:"version"`
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	Counts    Counts          `json:"counts"`
	Budget    Budget          `json:"budget"`
	Runner    snapshot.Runner `json:"runner"`
	Live      bool            `json:"live"`
	// Notes are about the DaemonSet as a whole.
	Notes  []string  `json:"notes,omitempty"`
	Groups []Group   `json:"groups"`
	Lines  []Line    `json:"nodes,omitempty"` // with a reason asked for
	Taken  time.Time `json:"taken"`
}

// Counts are the numbers of nodes as the DaemonSet's status has them.
type Counts struct {
	Desired      int32 `json:"desired"`
	Current      int32 `json:"current"`
	Misscheduled int32 `json:"misscheduled"`
	Ready        int32 `json:"ready"`
	Available    int32 `json:"available"`
	Updated      int32 `json:"updated"`
}

// Budget is how far a rollout may go, and who uses that up.
type Budget struct {
	Strategy       string `json:"strategy"`
	MaxUnavailable int    `json:"maxUnavailable"`
	MaxSurge       int    `json:"maxSurge"`
	Used           int    `json:"used"`
	// Users are the nodes that count, each with its reason.
	Users []Line `json:"users,omitempty"`
}

func sortCodes(codes []fleet.Code) { slices.Sort(codes) }
