// Package feed is the letterbox: watch streams become ordered facts.
//
// In: lists and watches of Nodes, Pods, DaemonSets and ControllerRevisions in all namespaces, through client-go's
// reflectors, which stream, resume, list afresh after a gap, and back off by themselves.
//
// Out: events on one channel, in the server's order for each kind. An event is a function that puts facts into a Fleet.
// Objects are trimmed and turned into facts in the reflectors' goroutines, one by one as they arrive, even while a first
// list streams in; none is kept here.
//
// There is no barrier for a new leader here, and none is needed: the first list of each kind, streamed or not, is never
// asked for "any state" but for the present one (resourceVersion ""), which the server answers as of a moment after the
// request. A controller that starts its feed after it has won the lease, and decides when each kind has been Synced,
// therefore sees every write that its predecessor made before the election.
//
// Never: it writes nothing to the API, decides nothing, and drops nothing but what no decision looks at.
package feed
