// Package live is what a running controller knows of a DaemonSet and the API does not: backoffs, refusals, calls under
// way, and how it places Pods.
//
// In: a fleet.Fleet and one of its DaemonSets, in the controller, for Read; or, anywhere else, a State for Apply.
//
// Out: a State, which goes over HTTP as JSON with a version; or the same facts in another Fleet, so that a plan made
// there is the plan that the controller would make.
//
// Never: it decides nothing and talks to nobody.
package live
