// Package oracle holds everynode's pure rooms against upstream's own DaemonSet controller: the same input to both, the same
// answer expected. It exists for its tests, and is the only room beside the lab that links k8s.io/kubernetes, so nothing else
// waits for that to compile.
//
// What upstream answers is the specification, but for differences on purpose; each of those has a test that says so.
package oracle
