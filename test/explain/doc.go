// Package explain creates, one scenario each, the causes for which a daemon is not running on a node, and asks the built
// `everynode explain` for the reason.
//
// The scripts are transcripts: testdata/direct with everynode's own placement, testdata/scheduler with kube-scheduler,
// testdata/alone with no controller at all.
package explain
