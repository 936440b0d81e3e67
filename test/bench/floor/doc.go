// Command floor makes the Pods that DaemonSets would have, and decides nothing: what it takes is the least that any
// controller can take.
//
// Comes in: a kubeconfig, how many DaemonSets, the client's limits. Goes out: Pods with spec.nodeName set, one for each
// DaemonSet and node; a line on stdout when a watch has shown all of them Ready. SIGHUP has it replace them all, a tenth
// of each DaemonSet's at a time. Else it idles until a signal.
// Never: reads a DaemonSet, compares, retries or corrects.
package main
