// Package manifest reads DaemonSets from files as kubectl does: files, directories, stdin, addresses and kustomizations,
// with several documents in each.
//
// In: what -f, -k and -R name. Out: each DaemonSet, with the place that it was read from; or a Broken, which names the
// file, the line, the field and the reason.
//
// Never: it asks no API server, and what the API server would fill in is not filled in.
package manifest
