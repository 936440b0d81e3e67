package revision

import (
	appsv1 "k8s.io/api/apps/v1"
)

// Kind says what a Change does to a ControllerRevision.
type Kind string

// The kinds, in the order in which a History lists them.
const (
	// Release: the selector no longer matches an owned revision; the owner reference is taken off.
	Release Kind = "Release"
	// Adopt: an orphan that the selector matches gets its owner. The DaemonSet must first be read afresh, not from a
	// cache: it may be gone or being deleted (U054).
	Adopt Kind = "Adopt"
	// Label: an owned revision without hash label gets its own name as hash (U185).
	Label Kind = "Label"
	// Stamp: the current revision gets the DaemonSet's template generation.
	Stamp Kind = "Stamp"
	// Renumber: an older revision is current again, so it becomes the newest (U190). The same write labels and stamps.
	Renumber Kind = "Renumber"
	// Delete: another revision holds the same template (U191). Pods that wear its hash are relabelled first, or they
	// would count as outdated.
	Delete Kind = "Delete"
	// Create: no revision holds the template. If the name is taken, ask Collide.
	Create Kind = "Create"
)

// Change is one write. Each revision has at most one in a History.
type Change struct {
	Kind Kind
	// Revision is the whole object to create or to update, or, for Delete, the object as it was read. Its
	// resourceVersion and UID are the preconditions.
	Revision *appsv1.ControllerRevision
	// Reason is one short clause for people.
	Reason string
}

// History is a DaemonSet's revisions, sorted out.
type History struct {
	// Current holds the template as it is now, as it was read. It is nil until one has been created or adopted; no Pod
	// can be made before.
	Current *appsv1.ControllerRevision
	// Hash is the label that Pods of Current wear, also while Current still waits for its own; it is empty without Current.
	Hash string
	// Why tells how Current was recognised.
	Why string
	// Old are the other owned revisions, oldest first; duplicates that are to be deleted are not among them.
	Old []*appsv1.ControllerRevision
	// Changes are to be written in this order. When one fails, those after it wait.
	Changes []Change
	// Relabel maps the hash of each duplicate to Current's: Pods that wear the one are to wear the other, and no other
	// Pod is touched. nil if there is nothing to do.
	Relabel map[string]string
}
