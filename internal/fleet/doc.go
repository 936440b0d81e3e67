// Package fleet is the noticeboard: compact facts about nodes, DaemonSets, Pods and ControllerRevisions, and one
// Slot per (DaemonSet, node) that gathers what is known there.
//
// In: facts, each with the resourceVersion it was read at, from a watch or from the answer to an own write; the moment
// is an argument. Older facts never overwrite newer ones, so an answer that overtakes the watch is safe.
//
// Out: read-only views of one DaemonSet (Daemon, Slot, Node, Pod), and which DaemonSets are dirty, that is, may need
// another decision. A heartbeat makes nothing dirty.
//
// Never: it decides nothing, writes nothing to the API, and has no clock, lock, logger or goroutine. One goroutine owns
// a Fleet. What a view returns belongs to the Fleet and must not be modified.
package fleet
