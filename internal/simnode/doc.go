// Package simnode plays the kubelets of simulated nodes, with faults on demand.
//
// What comes in: Node objects that carry the annotation sim.everynode.dev/kubelet (Default, Load and Template make
// them, Register creates them, and anybody may create one with kubectl), the Pods bound to them, and the annotations
// under sim.everynode.dev/ by which a Node or a Pod template asks for a fault (see names.go).
//
// What goes out: what a kubelet writes. Node status and leases; for each Pod a refusal or the way from Pending to
// Ready; the end of a deleted Pod; Warning events. All state lives in the objects, so that a restart disturbs nothing.
//
// What it never does: schedule, create or choose Pods, add or remove taints, or know anything of DaemonSets. It
// imports neither the packages that decide what runs where nor k8s.io/kubernetes: the puppets do not know the director.
//
// How it is built. A kubelet (kubelet.go) is pure: told of its Node, its Pods and the time, it answers with steps to
// take and the moment to look again. Run (run.go) is the shell around a thousand of them: two watches, one queue with
// timers and a few workers, no goroutine of its own for a node or a Pod.
package simnode
