// Command bench measures everynode against upstream's DaemonSet controller and against a bare loop of creates.
//
// Comes in: flags (see main.go; `make bench` has a variable for each), the binaries that `make bench` builds. Goes out:
// tables on stdout, all samples as JSON, on request the tables in a document; progress on stderr.
//
// Each contender of each round gets a control plane of its own, just started, with the same nodes: nothing is left over
// from the one before it. It then plays all phases in order. A phase ends when the API server shows its end and the
// contender has come to rest with a true status; what it used until then counts.
//
// Never: believes a contender, measures one that shares a process with anything else, or links Kubernetes' components.
package main
