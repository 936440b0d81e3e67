// Package plan is the study: slots in, a Plan out.
//
// In: one DaemonSet with its slots, its revisions, the orphans that its selector matches, the moment, and how Pods are
// placed.
//
// Out: a Plan, that is, actions with reasons, what waits and why, the status counts, and the moment to look again. The same
// input gives the same Plan, whatever order the facts came in; the plan of an applied plan is empty.
//
//	history ──▶ ownership ──▶ place (one node at a time) ──▶ rolling | surge | ondelete ──▶ counts
//
// Never: it writes nothing, logs nothing, has no clock, no goroutine and no randomness, and does not modify what it is given.
package plan
