// Command upstream is kube-controller-manager as the module k8s.io/kubernetes has it, for the benchmark alone.
//
// Comes in: the flags of kube-controller-manager. Goes out: what it does with --controllers=daemonset-controller.
// Never: part of what users get, or changed in any way.
package main
