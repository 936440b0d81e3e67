// Package kubectl runs kubectl against a running everynode, told as scripts: what a person types, what must be on the
// screen after it, what must be in the cluster.
//
// Comes in: the built binary, of which `everynode kubectl` is the kubectl used, and testdata/*.txtar. Goes out: each
// script's verdict. generation.txtar and history.txtar say what upstream's test/cmd/apps.sh says of DaemonSets (its
// run_daemonset_tests and run_daemonset_history_tests); rollout.txtar says what those leave out because they have no
// nodes.
//
// Beside testscript's own commands a script has three:
//
//	kubectl <args>            runs kubectl in the script's own namespace; `! kubectl` wants it to fail
//	until <pattern> <args>    runs kubectl until its stdout matches the pattern
//	has-all <file>            wants each word of the file on the last stdout
//
// Never: looks at the cluster by another way than kubectl.
package kubectl
