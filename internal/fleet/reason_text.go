package fleet

// Use is what a Code is a reason for.
type Use string

// The uses.
const (
	ForVerdict Use = "verdict"
	ForAction  Use = "action"
	ForWait    Use = "wait"
)

// CodeText tells a person what a Code means and what to do about it.
type CodeText struct {
	Code          Code
	Use           Use
	Meaning, ToDo string
}

const (
	nothingToDo = "Nothing."
	wait        = "Nothing: it goes on by itself."
)

// CodeTexts has each Code, in the order in which reason.go has them.
var CodeTexts = []CodeText{
	{Fits, ForVerdict, "Selector, affinity and taints agree: the daemon should run on the node.", nothingToDo},
	{
		NodeNameMismatch, ForVerdict, "The template names another node in `spec.nodeName`.",
		"Leave `spec.nodeName` out of a DaemonSet's template, unless it is meant for that one node.",
	},
	{
		NodeSelectorMismatch, ForVerdict, "The node lacks a label that the template's `nodeSelector` asks for, or has another value.",
		"If the daemon should run there, label the node, or ask for less.",
	},
	{
		NodeAffinityMismatch, ForVerdict, "No term of the template's required node affinity matches the node.",
		"If the daemon should run there, look at the term that said no, and change it or the node's labels.",
	},
	{
		TaintNoSchedule, ForVerdict, "The node has a NoSchedule taint that the template does not tolerate. A Pod that runs there stays; a new one is not made.",
		"If the daemon should run there, add a toleration for the taint that is named.",
	},
	{
		TaintNoExecute, ForVerdict, "The node has a NoExecute taint that the template does not tolerate. A Pod that runs there has to go.",
		"If the daemon should run there, add a toleration for the taint that is named.",
	},
	{NodeGone, ForVerdict, "There is no node of that name.", nothingToDo},

	{PodMissing, ForAction, "The node should run the daemon and has no Pod of it, so one is made.", nothingToDo},
	{
		PodFailed, ForAction, "The Pod's phase is Failed. It is deleted and replaced, with a pause that doubles from one second to a quarter of an hour.",
		"Look at why it failed: its events, and the reason in the Pod's status. A kubelet that rejects a Pod says so there.",
	},
	{
		PodSucceeded, ForAction, "The Pod ended without an error. A daemon never ends, so it is replaced as a failed one is.",
		"Find out why the process ends. What should run once on each node is no daemon.",
	},
	{PodSurplus, ForAction, "Another Pod of the daemon stays on the node, so this one goes.", nothingToDo},
	{NodeVanished, ForAction, "The Pod belongs to a node that no longer exists, so it is removed.", nothingToDo},
	{TemplateOutdated, ForAction, "A rollout replaces the Pod of an older revision, within `maxUnavailable`.", nothingToDo},
	{SurgeStarted, ForAction, "A Pod of the new revision is made beside the old one, within `maxSurge`.", nothingToDo},
	{SurgeFinished, ForAction, "The new Pod is available, so the old one beside it goes.", nothingToDo},
	{
		OldPodUnavailable, ForAction, "The old Pod serves nothing, so it is replaced at once and costs no budget.",
		nothingToDo,
	},
	{CapacityMoved, ForAction, "The node no longer qualifies, and enough others are available, so its Pod goes.", nothingToDo},
	{RevisionsMerged, ForAction, "Two revisions with the same template became one, and the Pod gets the label of the one that stays.", nothingToDo},
	{HistoryKept, ForAction, "The revision history follows the template and `revisionHistoryLimit`.", nothingToDo},
	{SelectorMatches, ForAction, "The selector matches a Pod that belongs to nobody, so it is adopted.", nothingToDo},
	{SelectorMismatch, ForAction, "The selector no longer matches a Pod's labels, so the Pod is released. It goes on running, as nobody's.", "Delete the released Pod, if nobody wants it."},

	{
		PodTerminating, ForWait, "The old Pod has not ended, and no other is made before it has.",
		"If it takes longer than its grace period, look at the node's kubelet, and at finalizers on the Pod.",
	},
	{
		FailureBackoff, ForWait, "The Pod failed, and is kept until its pause is over. Then it is replaced.",
		"Look at why it failed. A change of the DaemonSet ends the pause at once.",
	},
	{
		CallBackoff, ForWait, "The API server refused the last call for this node. It is tried again, at most a minute later.",
		"Read what it said, in the detail or the event: a quota, a webhook, a policy or missing rights.",
	},
	{
		NoRoom, ForWait, "The node lacks a resource that the Pod requests. With direct placement everynode looks before it makes a Pod.",
		"Free the resource, request less, or keep the daemon off this node. A Pod of lower priority is not evicted for it.",
	},
	{
		PortTaken, ForWait, "Another Pod on the node holds a host port that this one needs.",
		"Move one of the two to another port, or off the node.",
	},
	{
		BudgetUsed, ForWait, "Its turn has not come: as many nodes as `maxUnavailable` or `maxSurge` allows are on their way.",
		"Nothing, if those come forward. If not, look at what they wait for.",
	},
	{MinReady, ForWait, "The Pod is Ready, but not yet for `minReadySeconds`.", wait},
	{
		PodNotReady, ForWait, "The new Pod is not Ready, so it counts against the budget.",
		"Look at the Pod: its image, its probes, its log; and at its node.",
	},
	{NodeQuarantine, ForWait, "The node went away a moment ago and may come back. Its Pods are removed 40 seconds after it went.", wait},
	{CallInFlight, ForWait, "An earlier call has not been answered, or may yet be carried out.", wait},
	{
		UpdateOnDelete, ForWait, "The Pod has an older revision, and strategy OnDelete leaves the update to you.",
		"Delete the Pod when it suits you; its successor has the current revision.",
	},
	{
		DryRunFirst, ForWait, "Before the first old Pod goes, the API server is asked whether it would accept a new one.",
		"Nothing, unless it refuses. Then the event `RolloutBlocked` has its words.",
	},
}

// TextOf gives the text of a Code; ok is false for one that has none.
func TextOf(c Code) (t CodeText, ok bool) {
	for _, t := range CodeTexts {
		if t.Code == c {
			return t, true
		}
	}
	return CodeText{}, false
}
