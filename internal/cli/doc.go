// Package cli is the command line for people: commands that tell about a cluster, made by constructors, so that
// `everynode` and the kubectl plugin share them.
//
// In: command lines, a kubeconfig as kubectl takes it, or a snapshot file. What a command tells is computed by explain
// and plan from a snapshot.World.
//
// Out: data on stdout, talk on stderr, and Errors that say what failed, why, and what to do. Colour appears on a terminal
// only, and never with NO_COLOR.
//
// Never: it decides nothing, and the commands that only look change nothing in a cluster. It links no control plane.
package cli
