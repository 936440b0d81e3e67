// Package explore walks through every state of a small world: up to three nodes, two revisions, views that lag, calls that
// are late, a leader that dies, a second leader. Where a random story hopes to meet a bad order of events, this meets all.
//
// In: a Scope, that is, how small the world is and what may go wrong in it, and how often; and the planner to be tried.
//
// Out: a Result: how many states and steps there are, what was worst in any of them, and, if a promise is broken, the
// shortest story that leads there, as numbered sentences.
//
// The planner is plan.Compute, and what a leader knows is a fleet.Fleet, both as they are; only the API server, kubelets
// and the rules of engine and act about calls are modelled here, as transitions. No time passes: minReadySeconds is zero,
// there is no backoff, and the end of a quarantine is a step that may come at any moment.
//
// What keeps the world finite: UIDs and names are numbered anew in every state, resourceVersions are only ever compared for
// one Pod, and nodes may change places. As the planner prefers nodes by name, each plan is then made for every order of
// the nodes, which is more than can happen; Scope.Exact keeps the names.
//
// Never: it starts no goroutine, reads no clock, talks to no API server, and draws nothing by chance: the same Scope gives
// the same Result.
package explore
