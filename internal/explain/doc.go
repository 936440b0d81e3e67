// Package explain turns a plan and its reasons into answers for people: why is there no Pod on this node, what happens
// next, and what would change it.
//
// In: a snapshot.World and one of its DaemonSets. The plan is the one that the controller would make from the same facts.
//
// Out: a Node, that is, everything about one node; or a DaemonSet, that is, its nodes grouped by reason; as values with a
// version for programs, and as text. Codes are fleet's, and a few more for what a plan does not look at.
//
// Never: it decides nothing about Pods, reads no clock, and colours nothing itself.
package explain
