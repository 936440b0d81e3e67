// Package simworld is the weather room: a whole cluster on a virtual clock, with every trouble that a controller can meet.
//
// In: a schedule, made from a seed or by hand: what the cluster is, what happens to it step by step, and what becomes of
// single requests.
//
// Out: the run's transcript and hash, and the invariants that were violated, each checked against the true history of the
// API model and never against what a controller believes.
//
// The real engine, feed, plan and act run in it, one or two replicas of them, single-threaded: act's calls are coroutines
// that wait for the world's answer. The same schedule gives the same run, bit for bit. API server, kubelets, binder, garbage
// collector, Pod GC and node lifecycle are models.
//
// Never: it uses no real clock, no network, no randomness but the schedule's seed.
package simworld
