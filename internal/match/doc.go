// Package match answers one question: should this daemon run on this node?
//
// In: a DaemonSet's template, read once by New, and then nodes as fleet knows them. Out: a fleet.Verdict that names the
// very label, term or taint that said no; with Checks, every single test and what decided it. Tolerations, Pin and
// Target give the parts of a Pod that bind it to its node.
//
// Only the node's name, labels and taints count (U001, U007): never its conditions, its room or its other Pods.
//
// Never: it modifies nothing that it is given, logs nothing, reads no clock, and keeps nothing between two questions, so
// a Matcher may be shared.
package match
