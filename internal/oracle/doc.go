// Package oracle holds everynode's pure rooms against upstream's own DaemonSet controller: the same input to both, the same
// answer expected. It exists for its tests, and is the only room beside the lab that links k8s.io/kubernetes, so nothing else
// waits for that to compile.
//
// What upstream answers is the specification, but for the numbered differences of docs/differences.md.
//
//	scene ──▶ API objects ──▶ upstream's syncDaemonSet ──▶ creates, deletes, patches, status ─┐
//	  │                                                                                       ├─ judge
//	  └─────▶ API objects ──▶ fleet, plan, report ───────▶ actions, status ───────────────────┘
//
// A scene (scene_test.go) is one DaemonSet with its nodes and Pods at one moment. The answers must be equal; where they are
// not, difference_test.go has to explain it: each numbered difference either edits the scene that upstream gets, so that
// upstream must then agree to the letter, or permits one narrow kind of disagreement. What no number explains fails, is shrunk,
// and is printed as a block for internal/plan/testdata. A number counts for a scene only if the others alone do not explain it.
//
// Histories of ControllerRevisions are compared in the same way (history_test.go): both sides write to a server of their own
// until they ask for no more, and the two servers must then hold the same.
//
// Not compared: what takes more than one DaemonSet's state to decide, that is, names, preconditions, the dry run, fit, pace and
// events (differences 1–4, 7, 9, 17, 18). A scene is one moment; what follows from the next event is the simulation's to show.
//
// Never: nothing here is linked into a binary, and nothing is fetched.
package oracle
