// Package snapshot is a cluster as it was at one moment, as far as daemons are concerned: nodes, Pods, DaemonSets, their
// revisions and events, and what their controller told of itself.
//
// In: API objects, one by one; or a file that Write made, which Read takes.
//
// Out: a file of JSON lines, with names replaced if Redact is asked to; and a World, in which the same fleet, verdicts and
// plan.Compute that the controller uses say what is and what comes next.
//
// Never: it talks to no cluster, holds no Secret, ConfigMap or environment that was not in a DaemonSet's template, and
// decides nothing of its own.
package snapshot
