// Package lab runs a whole Kubernetes control plane in this process, for trying and testing everynode.
//
// Comes in: Options (how many nodes, where to keep data, which parts to run) and two functions, the everynode
// controller and the simulated kubelets, which the lab runs with their own least-privileged identities.
// Goes out: etcd, kube-apiserver, kube-controller-manager without its daemonset-controller, optionally kube-scheduler;
// a kubeconfig file, whose presence means "ready"; progress lines for people; four-part errors.
//
//	state dir ─▶ certificates ─▶ etcd ─▶ kube-apiserver ─▶ controllers, RBAC, nodes ─▶ kubeconfig ─▶ … ─▶ all undone
//
// The store may also run alone (Etcd) and be used by a lab from elsewhere (Options.EtcdServers), so that tests can kill either.
//
// Never: listens beyond loopback, needs root, leaves a process or temporary file behind, overwrites a kubeconfig that
// it did not write, decides anything about DaemonSets. It is the only package that links k8s.io/kubernetes.
package lab
