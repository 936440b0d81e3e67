// Command profiled is everynode-controller that writes profiles of itself, of CPU and allocations, for the benchmark alone.
//
// Comes in: the flags of everynode-controller; CPU_PROFILE, what the names of the files begin with; SIGHUP, at which the next
// file begins. Goes out: those files. Never: part of what users get.
package main
