// Package chaos puts the real thing under fire: etcd, an API server with the other controllers and simulated kubelets, and
// two replicas of `everynode controller`, each a process, while rollouts run and every few seconds something is killed,
// frozen, deleted or replaced.
//
// Comes in: the binary (see test/harness); -chaos, how long; -chaos-seed, which faults in which order. Goes out: a verdict
// over the history of the cluster, and a summary of what was done and checked.
//
// The history is etcd's own: a recorder follows it from revision 1, over every restart, without a gap and in the order in
// which it became true; no watch cache, relist or view of a controller stands between. A judge takes each revision in turn:
//
//   - a slot (DaemonSet and node) has at most one living Pod, two with surge;
//   - nodes that lost an available Pod to the controllers and have no new one yet never exceed maxUnavailable;
//   - with surge, an available Pod is not removed before another one on its node is available;
//   - an available Pod of the present template is not removed, and no slot gets two Pods of one template;
//   - in the end: one Ready Pod of the last template on each node, status and revisions that agree, then silence.
//
// A slot that the chaos itself disturbed, by deleting a Pod or the node, is left out of the middle three until a Pod that was
// made later is available there. The API server's audit log, one file over all its lives, adds who wrote and whether each
// delete carried the Pod's UID; what a killed server had not logged yet is missing there, and is counted.
//
// Never: asserts how long anything takes, but for a generous limit on settling in the end. The seed repeats faults and
// their order; it cannot repeat how processes interleave.
package chaos
