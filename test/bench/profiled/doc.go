// Command profiled is everynode-controller that writes a CPU profile of its whole life, for the benchmark alone.
//
// Comes in: the flags of everynode-controller; CPU_PROFILE, the file to write. Goes out: that file, once it is told to
// stop. Never: part of what users get.
package main
