// Package plan holds `everynode plan` to what then happens: changes are generated, planned, applied to an embedded
// control plane and watched.
//
// Comes in: bin/everynode, a seed and a number of changes. Goes out: a failure for each node that gains, loses, keeps or
// replaces a Pod other than planned, and for each rollout that goes in another order.
//
// Never: asserts how long something takes.
package plan
