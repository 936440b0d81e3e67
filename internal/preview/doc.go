// Package preview tells what a change of a DaemonSet would do before it is made.
//
// In: the facts of a cluster (a Fleet of its own, which it goes on writing to), DaemonSets as they would be applied, and
// the moment. Out: the difference of two DaemonSets in words; for each DaemonSet the nodes that gain, lose, keep or
// replace a Pod, in which steps, what will hold the rollout up, what will not fit, what it costs and about how long it takes;
// warnings; and a timeline of the rollout.
//
// How: nothing here decides where a Pod goes or which comes next. The Player carries out what plan.Compute says on a
// virtual clock, with kubelets that are modelled, and the preview is what came of it.
//
// Never: it reads no cluster, writes nothing to the API and has no clock.
package preview
