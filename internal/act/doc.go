// Package act is the hands: it carries out what a plan decided, and is the only writer to the API.
//
// In: calls, each a planned action with the DaemonSet that it was planned for, or a status to write.
//
// Out: answers that say what became of each call, with the object as the API server then had it, so that the caller can
// take it in as a fact; and the pace at which further calls may go out.
//
// How a write is made safe: Pods are created under derived names, so that a call repeated after a lost answer meets
// AlreadyExists; an answer that is lost is resolved by a live read before the call counts as answered; deletes carry the
// Pod's UID, and its resourceVersion where its state was the reason; before adopting, the DaemonSet is read live.
//
// Never: it decides nothing, and repeats nothing by itself that the API server refused.
package act
