// Package apimodel is a model of the API server: fast enough for millions of runs, and true enough that a controller
// cannot tell the two apart by what it does.
//
// In: the requests of controllers, kubelets and users on Nodes, Pods, DaemonSets and ControllerRevisions.
//
// Out: the answers and errors that kube-apiserver gives, and the history of all changes, which can be listed at a version,
// watched from one, and compacted.
//
// It has resourceVersions, optimistic concurrency, preconditions, generated names, graceful deletion in one or two writes,
// finalizers, owner references, the status subresource, generations, dry runs, and admission as hooks. test/model plays
// random requests to it and to a real API server, and compares all that comes back.
//
// Left out on purpose, and left out of that comparison:
//   - defaults, and field validation beyond what ties objects and versions together: objects come complete, and the spec of a
//     Pod may change in any field;
//   - managedFields, and the writes that change nothing else: a no-op here may be a new version there, where it only moves
//     the ownership of a field;
//   - what the server adds to a Pod's status: its QoS class, and the condition PodScheduled when it is bound;
//   - namespaces, but for the fact that one is being deleted; a namespace that does not exist has no error of its own;
//   - the order of validation and webhooks: Admit comes after validation, as quota does;
//   - the two requests that write a Node, its spec and its status, are one;
//   - the text of errors, and which fields a refused one names;
//   - bookmarks, pages and selectors; a compaction does not take the past from ListAt. That a watch from before it is refused
//     is not compared: no real server compacts so soon.
//
// Garbage collection, kubelets and binding are actors of a world.
//
// Never: it has no clock, no goroutine and no randomness. Objects that it gives out are shared and must not be modified.
package apimodel
