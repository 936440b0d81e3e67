// Command everynode-controller is the controller alone, for a cluster's image.
//
// In: the flags of package command. Out: Pods, revisions, status and events of the cluster's DaemonSets.
//
// Never: it links no control plane; a test holds that.
package main
