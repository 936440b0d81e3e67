package report

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// EventText tells a person what an event means and what to do about it.
type EventText struct {
	Reason, Type  string
	Meaning, ToDo string
}

// EventTexts has each event reason, in the order in which event.go has them.
var EventTexts = []EventText{
	{SuccessfulCreate, corev1.EventTypeNormal, "Pods were made; one event for a step of a rollout, with the first names.", "Nothing."},
	{FailedCreate, corev1.EventTypeWarning, "The API server refused a Pod. It is tried again, at most a minute later.", "Read what it said: a quota, a webhook, a policy or missing rights."},
	{SuccessfulDelete, corev1.EventTypeNormal, "Pods were deleted; one event for a step of a rollout, with the first names.", "Nothing."},
	{FailedDelete, corev1.EventTypeWarning, "The API server refused the deletion of a Pod. It is tried again, at most a minute later.", "Read what it said: a webhook, a policy or missing rights."},
	{FailedDaemonPod, corev1.EventTypeWarning, "A Pod was found Failed and is deleted, to be replaced.", "Look at why it failed; the message has the Pod's own reason."},
	{SucceededDaemonPod, corev1.EventTypeNormal, "A Pod was found Succeeded and is deleted, to be replaced: a daemon never ends.", "Find out why the process ends."},
	{SelectingAll, corev1.EventTypeWarning, "The selector is empty, so it would select every Pod. Nothing is done.", "Give the DaemonSet a selector that matches its template's labels alone."},
	{FailedPlacement, corev1.EventTypeWarning, "A node should run the daemon, and has no room or no free port for it.", "The message has the resource and the numbers, or the port and who holds it: free it, ask for less, or keep the daemon off the node."},
	{RolloutBlocked, corev1.EventTypeWarning, "The API server would refuse a Pod of the new revision, so no old Pod is deleted.", "Do what its words ask for, or take the change back. The rollout goes on by itself."},
	{RolloutStalled, corev1.EventTypeWarning, "The rollout has waited for the same nodes for a minute, and can do nothing else.", "Look at the Pods on the nodes that are named, or take the change back."},
	{SurgeRefused, corev1.EventTypeWarning, "`maxSurge` is not used, because two Pods on a node cannot hold one host port.", "Set `maxUnavailable` instead, or do without the host port."},
	{FailedAdopt, corev1.EventTypeWarning, "The API server refused that a Pod is adopted, released or relabelled.", "Read what it said."},
	{FailedHistory, corev1.EventTypeWarning, "The API server refused a write of the revision history. No rollout begins before it is kept.", "Read what it said."},
	{FailedPlan, corev1.EventTypeWarning, "Nothing can be decided for the DaemonSet as it is, so nothing is changed.", "The message names the field that cannot be understood."},
}

// ConditionText tells a person what a condition says.
type ConditionText struct {
	Type    appsv1.DaemonSetConditionType
	Status  corev1.ConditionStatus
	Reason  string
	Meaning string
}

// ConditionTexts has each reason that a condition can have.
func ConditionTexts() []ConditionText {
	out := []ConditionText{
		{Available, corev1.ConditionTrue, MinimumNodesAvailable, "No more nodes are without an available Pod than `maxUnavailable` allows, and the daemon is available on one node at least, if any should run it."},
		{Available, corev1.ConditionFalse, MinimumNodesUnavailable, "More nodes are without an available Pod than that."},
		{Progressing, corev1.ConditionTrue, RollingOut, "The current revision is on its way: nodes are left that have not got it, or not available."},
		{Progressing, corev1.ConditionTrue, RolloutComplete, "Every node that should run the daemon has had an available Pod of the current revision. Pods that fail, or nodes that join, change nothing about that."},
		{Progressing, corev1.ConditionFalse, RolloutBlocked, "The API server would refuse a Pod of the new revision, so no old Pod is deleted. Told at once."},
		{Progressing, corev1.ConditionFalse, string(fleet.UpdateOnDelete), "Outdated Pods are left, and strategy OnDelete leaves them to you. Told at once."},
	}
	for _, code := range stallCodes() {
		out = append(out, ConditionText{Progressing, corev1.ConditionFalse, string(code), "No node moved forward for ten minutes and `minReadySeconds`; most that hold the rollout up: " + blockerNames[code] + "."})
	}
	return append(out, ConditionText{Progressing, corev1.ConditionFalse, RolloutStalled, "No node moved forward for as long, and no node is known that would hold the rollout up."})
}
