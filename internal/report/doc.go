// Package report is the voice: what a DaemonSet's status and events say.
//
// In: a Plan, the actions that were carried out and what became of them.
//
// Out: an apps/v1 status and events, as values.
//
// Never: it sends nothing, decides nothing, and has no clock and no memory.
package report
