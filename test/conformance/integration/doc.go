// Package integration holds what upstream's own integration tests hold (test/integration/daemonset), told again as
// scenarios against a running everynode.
//
// Upstream's tests cannot be used as they are: each builds the built-in controller in its own process. What they check
// is kept: the same nodes and DaemonSets, both update strategies where upstream runs both, and the same outcomes; but
// each scenario here wants every count of the status, and runs with both ways of placing Pods.
//
// Comes in: the built binary. Goes out: each scenario's verdict. As in upstream's tests the nodes have no kubelet, not
// even a simulated one: the test plays it (kubelet_test.go), so that it decides when a Pod becomes Ready.
//
// Two things differ from upstream's setting, because here the whole control plane runs. The node controller taints a
// node that is not Ready (NoSchedule), so a daemon starts there only if it tolerates that. And with direct placement
// a Pod that does not fit is not created.
//
// Never: asserts how long something takes.
package integration
