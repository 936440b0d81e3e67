// Package cluster is the ground on which the benchmark's contenders run: a control plane in a process of its own,
// simulated nodes, and eyes on both.
//
// Comes in: bin/everynode, a number of nodes. Goes out: a kubeconfig for each contender with an account of its own, what
// the API server shows of Pods and nodes as it becomes true (Mirror), what each account has asked of the API server
// (Audit), and a Binder that does kube-scheduler's part for Pods that can go to one node only.
//
// Never: asks a contender anything. What counts is what the API server says.
package cluster
