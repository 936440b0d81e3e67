// Package feed is the letterbox: watch streams become ordered facts.
//
// In: lists and watches of Nodes, Pods, DaemonSets and ControllerRevisions in all namespaces, through client-go's
// reflectors, which stream, resume, list afresh after a gap, and back off by themselves.
//
// Out: events on one channel, in the server's order for each kind. An event is a function that puts facts into a Fleet;
// objects are trimmed and turned into facts on arrival, and none is kept here.
//
// A reflector's first list is a consistent read. A controller that starts its feed after it has won the lease therefore
// never acts on a view older than its own election.
//
// Never: it writes nothing to the API, decides nothing, and drops nothing but what no decision looks at.
package feed
