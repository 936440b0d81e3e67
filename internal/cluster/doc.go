// Package cluster reads a live cluster into a snapshot, for commands that people run.
//
// In: a client with a person's own rights, and how much to read. Lists come in pages.
//
// Out: a snapshot.Snapshot. What the person may not read is named in it, with the verb and the resource, and the rest is
// there all the same. If everynode's controller runs there and can be reached, the snapshot has what it told.
//
// Never: it writes nothing, watches nothing, and reads no Secret and no ConfigMap.
package cluster
