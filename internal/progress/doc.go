// Package progress says in a few words how far a DaemonSet's rollout is, and what holds it up.
//
// In: a plan.Plan, which is what its controller would decide now, and the moment. Out: a Progress, and the sentence that
// kubectl has for it.
//
// Never: it decides nothing and remembers nothing: it tells a rollout that halts from one that is on its way by the age of
// the Pods that it waits for.
package progress
