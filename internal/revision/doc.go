// Package revision keeps a DaemonSet's history: which ControllerRevision holds the template as it is now, which hold
// older ones, and what has to be written so that the API server agrees.
//
// In: a DaemonSet and the ControllerRevisions that it owns or may adopt. Reconcile gives out a History: the current
// revision, its hash label, the old ones, and the Changes to write. Collide and Trim answer the two questions that come
// up later: what holds the wanted name, and which old revisions may go.
//
// Data and hash are upstream's to the byte (U186, U189), so kubectl rollout, and upstream's controller after a return to
// it, understand the history. But the template is compared by more than bytes, so a server that shows new defaults, or an
// older one that shows fewer fields, starts no rollout: see pick.
//
// Never: it modifies no object that it is given, makes no call, and reads no clock. It does not know Pods; what they wear
// comes in as a hash.
package revision
