// Package conformance runs upstream's own end-to-end specs of DaemonSets and ControllerRevisions, unmodified, against
// `everynode up`, once with each way of placing Pods.
//
// Comes in: the built binary, and the specs as they are in the module k8s.io/kubernetes. Goes out: for each placement,
// the specs that passed, by name, and the count on stdout; for a failed one, what upstream's test says, the end of its
// log, the Pods and events it left, and the end of the lab's log.
//
//	TestUpstreamSpecs ──starts──▶ everynode up --placement=direct|scheduler
//	        │                            ▲
//	        └──re-executes itself──▶ the specs, as a child process (specs_test.go)
//	                                     └──JSON report──▶ compared with the table of names (conformance_test.go)
//
// A child per run, because Ginkgo's suite is a global of the process and runs once.
//
// Never: an edited copy of a spec, a spec taken off the list because it fails, or a spec that upstream added and nobody
// here has noticed: every spec that the focus selects must be in the table, as one to pass or as one to leave out with
// a reason.
//
// The packages below this one need no Kubernetes source: kubectl holds what upstream checks with shell scripts, and
// integration what upstream checks against an API server in process, both rewritten as scenarios of our own.
package conformance
