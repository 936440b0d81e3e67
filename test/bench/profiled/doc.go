// Command profiled is everynode-controller that writes CPU profiles of itself, for the benchmark alone.
//
// Comes in: the flags of everynode-controller; CPU_PROFILE, what the names of the files begin with; SIGHUP, at which the next
// file begins. Goes out: those files. Never: part of what users get.
package main
