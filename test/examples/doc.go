// Package examples applies each manifest of the directory examples to a running control plane and checks, Pod by Pod,
// which nodes run it.
//
// The tables are worked out by hand from the manifests and the twelve nodes that `everynode up` starts with; they are
// never copied from a run. Tests of the manifests themselves, and of the corpus of public manifests' features
// (testdata/corpus.txt), need no control plane and take milliseconds. The others start bin/everynode once; `make build`
// makes it, and EVERYNODE_BIN names another one.
package examples
