// Package up tests `everynode up` as a process: readiness, refusals, stopping, resuming, and what is reachable.
//
// Comes in: the built binary. Goes out: verdicts. Never: tests what runs inside the lab; the packages' own tests do.
package up
