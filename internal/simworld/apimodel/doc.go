// Package apimodel is a model of the API server: fast enough for millions of runs, and true enough that a controller
// cannot tell the two apart by what it does.
//
// In: the requests of controllers, kubelets and users on Nodes, Pods, DaemonSets and ControllerRevisions.
//
// Out: the answers and errors that kube-apiserver gives, and the history of all changes, which can be listed at a version,
// watched from one, and compacted.
//
// It has resourceVersions, optimistic concurrency, preconditions, generated names, graceful deletion, finalizers, owner
// references, the status subresource, generations, dry runs, and admission as hooks. Defaults and field validation beyond
// ownership are left out: objects come complete. What it leaves to others: garbage collection, kubelets and binding are
// actors of a world. A test beside it compares it with the real thing.
//
// Never: it has no clock, no goroutine and no randomness. Objects that it gives out are shared and must not be modified.
package apimodel
