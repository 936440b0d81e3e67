package fleet

// Code names a reason. The same codes appear in actions, events, metrics, explanations and docs.
type Code string

// Reasons of a verdict: should this daemon run on this node? (behaviour U001–U019)
const (
	// Fits: selector, affinity and taints all agree.
	Fits Code = "Fits"
	// NodeNameMismatch: the template names another node in spec.nodeName (U002).
	NodeNameMismatch Code = "NodeNameMismatch"
	// NodeSelectorMismatch: a label that spec.nodeSelector asks for is absent or different (U003, U013).
	NodeSelectorMismatch Code = "NodeSelectorMismatch"
	// NodeAffinityMismatch: no term of the required node affinity matches (U003, U014–U018).
	NodeAffinityMismatch Code = "NodeAffinityMismatch"
	// TaintNoSchedule: an untolerated NoSchedule taint; a running Pod stays, a new one is not made (U004).
	TaintNoSchedule Code = "TaintNoSchedule"
	// TaintNoExecute: an untolerated NoExecute taint; a running Pod has to go (U004).
	TaintNoExecute Code = "TaintNoExecute"
	// NodeGone: no node of that name exists.
	NodeGone Code = "NodeGone"
)

// Reasons of an action.
const (
	// PodMissing: the node should run the daemon and has no Pod of it (U074).
	PodMissing Code = "PodMissing"
	// PodFailed: the Pod's phase is Failed; it is replaced with backoff (U077).
	PodFailed Code = "PodFailed"
	// PodSucceeded: the Pod's phase is Succeeded; a daemon never ends, so it is replaced (U078).
	PodSucceeded Code = "PodSucceeded"
	// PodSurplus: another Pod of this daemon stays on the node (U080, U081).
	PodSurplus Code = "PodSurplus"
	// NodeVanished: the Pod is bound to, or waits for, a node that no longer exists (U085, D8).
	NodeVanished Code = "NodeVanished"
	// TemplateOutdated: a rollout replaces the Pod of an old revision (U155–U160).
	TemplateOutdated Code = "TemplateOutdated"
	// SurgeStarted: a Pod of the new revision is made beside the old one (U174).
	SurgeStarted Code = "SurgeStarted"
	// SurgeFinished: the new Pod is available, so the old one goes (U176).
	SurgeFinished Code = "SurgeFinished"
	// OldPodUnavailable: the old Pod serves nothing, so it is replaced outside the budget (U159, U173).
	OldPodUnavailable Code = "OldPodUnavailable"
	// CapacityMoved: the node no longer qualifies and enough others are available (U175).
	CapacityMoved Code = "CapacityMoved"
	// RevisionsMerged: two revisions with the same data became one, and the Pod gets its hash (U191).
	RevisionsMerged Code = "RevisionsMerged"
	// HistoryKept: the revision history has to follow the template (U185–U198).
	HistoryKept Code = "HistoryKept"
	// SelectorMatches: an orphan that the selector matches is adopted (U053).
	SelectorMatches Code = "SelectorMatches"
	// SelectorMismatch: an owned Pod that the selector no longer matches is released (U052).
	SelectorMismatch Code = "SelectorMismatch"
)

// Reasons why a node waits.
const (
	// PodTerminating: the old Pod has not ended yet (U075).
	PodTerminating Code = "PodTerminating"
	// FailureBackoff: the failed Pod is kept until its backoff ends (U097).
	FailureBackoff Code = "FailureBackoff"
	// CallBackoff: the API server refused the last call for this slot; the next try comes later.
	CallBackoff Code = "CallBackoff"
	// NoRoom: the node lacks a resource that the Pod requests (D3, direct placement).
	NoRoom Code = "NoRoom"
	// PortTaken: another Pod on the node holds a host port (D3, direct placement).
	PortTaken Code = "PortTaken"
	// BudgetUsed: maxUnavailable or maxSurge is used up (U160, U174).
	BudgetUsed Code = "BudgetUsed"
	// MinReady: the new Pod is Ready, but not yet for minReadySeconds (U134).
	MinReady Code = "MinReady"
	// PodNotReady: the new Pod is not Ready.
	PodNotReady Code = "PodNotReady"
	// NodeQuarantine: the node vanished a moment ago and may come back (D8).
	NodeQuarantine Code = "NodeQuarantine"
	// CallInFlight: an API call for this node has not been answered.
	CallInFlight Code = "CallInFlight"
	// UpdateOnDelete: the Pod is outdated and strategy OnDelete leaves it to the user (U144).
	UpdateOnDelete Code = "UpdateOnDelete"
	// DryRunFirst: the rollout waits for the server to accept one new Pod in a dry run.
	DryRunFirst Code = "DryRunFirst"
)

// Reason says why something was decided, or why nothing was.
type Reason struct {
	Code Code
	// Detail is one short clause with the very taint, label, port or number that decided; it may be empty.
	Detail string
}

// String gives "Code" or "Code: detail".
func (r Reason) String() string {
	if r.Detail == "" {
		return string(r.Code)
	}
	return string(r.Code) + ": " + r.Detail
}

// Decision is what a daemon may do on a node.
type Decision uint8

// The three decisions; there is no state in which a Pod may start but not stay (U006).
const (
	// Leave: no Pod may be here; a running one is removed.
	Leave Decision = iota
	// Keep: a running Pod may stay, a new one may not start.
	Keep
	// Run: exactly one Pod should be here.
	Run
)

// String gives run, keep or leave.
func (d Decision) String() string {
	return [...]string{"leave", "keep", "run"}[d]
}

// Verdict answers: should this daemon run on this node?
type Verdict struct {
	Decision Decision
	Reason   Reason
}

// ShouldRun is upstream's shouldRun (U001).
func (v Verdict) ShouldRun() bool { return v.Decision == Run }

// MayStay is upstream's shouldContinueRunning (U001).
func (v Verdict) MayStay() bool { return v.Decision != Leave }

// Judge gives the verdicts of one DaemonSet's template. It must be a pure function of the node's name, labels and taints.
type Judge interface {
	Verdict(n *Node) Verdict
}
