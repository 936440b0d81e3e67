// Command kubectl-everynode is the kubectl plugin: `kubectl everynode explain` and the other commands that tell about
// daemons in a cluster, with kubectl's own flags.
//
// Comes in: command lines. Goes out: data on stdout, talk and four-part errors on stderr.
//
// Never: links a control plane, so that it stays small.
package main
