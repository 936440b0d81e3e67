package explain

import (
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// Codes for what no plan looks at, and a person asks for. All others are fleet's.
const (
	// Available: the Pod of the current revision runs and has been Ready for minReadySeconds.
	Available fleet.Code = "Available"
	// ImagePullFailed: the kubelet cannot get an image.
	ImagePullFailed fleet.Code = "ImagePullFailed"
	// CrashLoop: a container ends again and again.
	CrashLoop fleet.Code = "CrashLoop"
	// ProbeFailing: all containers run, and one is not ready or not started by its probe.
	ProbeFailing fleet.Code = "ProbeFailing"
	// ContainerNotStarted: a container waits for something else, for instance a volume or a ConfigMap.
	ContainerNotStarted fleet.Code = "ContainerNotStarted"
	// Unscheduled: the Pod waits for a scheduler to bind it.
	Unscheduled fleet.Code = "Unscheduled"
	// NodeNotReady: the Pod is as its kubelet left it, for the node is not Ready.
	NodeNotReady fleet.Code = "NodeNotReady"
	// DaemonSetDeleting: the DaemonSet is being deleted; the garbage collector takes its Pods.
	DaemonSetDeleting fleet.Code = "DaemonSetDeleting"
	// NoController: nothing tells of a controller that runs this DaemonSet.
	NoController fleet.Code = "NoController"
	// RolloutBlocked: the API server would refuse a Pod of the new revision, so no old one is deleted.
	RolloutBlocked fleet.Code = "RolloutBlocked"
	// NotRead: what would decide may not be read.
	NotRead fleet.Code = "NotRead"
	// SelectingAll: the selector is empty, so nothing is done.
	SelectingAll = plan.SelectingAll
)

// phrases say in a few words what a code means for a node.
var phrases = map[fleet.Code]string{
	Available:                  "runs and is available",
	ImagePullFailed:            "an image cannot be pulled",
	CrashLoop:                  "a container ends again and again",
	ProbeFailing:               "runs, but is not ready",
	ContainerNotStarted:        "a container has not started",
	Unscheduled:                "waits for a scheduler",
	NodeNotReady:               "the node is not Ready",
	DaemonSetDeleting:          "the DaemonSet is being deleted",
	NoController:               "no controller runs this DaemonSet",
	RolloutBlocked:             "old Pod stays: the new one would be refused",
	SelectingAll:               "the selector is empty",
	NotRead:                    "not known: it may not be read",
	fleet.Fits:                 "should run",
	fleet.NodeNameMismatch:     "the template names another node",
	fleet.NodeSelectorMismatch: "nodeSelector does not match",
	fleet.NodeAffinityMismatch: "node affinity does not match",
	fleet.TaintNoSchedule:      "taint not tolerated (NoSchedule)",
	fleet.TaintNoExecute:       "taint not tolerated (NoExecute)",
	fleet.NodeGone:             "the node does not exist",
	fleet.PodMissing:           "a Pod is about to be created",
	fleet.PodFailed:            "the Pod failed and is replaced",
	fleet.PodSucceeded:         "the Pod ended and is replaced",
	fleet.PodSurplus:           "a surplus Pod is removed",
	fleet.NodeVanished:         "the node is gone, its Pod is removed",
	fleet.TemplateOutdated:     "outdated, replaced next",
	fleet.SurgeStarted:         "outdated, a new Pod comes beside it",
	fleet.SurgeFinished:        "the new Pod serves, the old one goes",
	fleet.OldPodUnavailable:    "the old Pod serves nothing, replaced next",
	fleet.CapacityMoved:        "no longer wanted here, removed next",
	fleet.RevisionsMerged:      "gets the label of its merged revision",
	fleet.HistoryKept:          "waits for the revision history",
	fleet.SelectorMatches:      "a Pod without owner is to be adopted",
	fleet.SelectorMismatch:     "its Pod no longer matches the selector",
	fleet.PodTerminating:       "the old Pod has not ended",
	fleet.FailureBackoff:       "the Pod failed, replaced after a pause",
	fleet.CallBackoff:          "the API server refused the Pod",
	fleet.NoRoom:               "no room on the node",
	fleet.PortTaken:            "a host port is taken",
	fleet.BudgetUsed:           "outdated, waits for its turn",
	fleet.MinReady:             "ready, not yet for minReadySeconds",
	fleet.PodNotReady:          "the Pod is not ready",
	fleet.NodeQuarantine:       "the node vanished and may come back",
	fleet.CallInFlight:         "a call is under way",
	fleet.UpdateOnDelete:       "outdated, OnDelete leaves it to you",
	fleet.DryRunFirst:          "outdated, the new Pod is tried first",
}

// Phrase says in a few words what a code means for a node.
func Phrase(code fleet.Code) string {
	if p := phrases[code]; p != "" {
		return p
	}
	return string(code)
}

// Codes are all codes that a node may have, for completion and to check what a person types.
func Codes() []fleet.Code {
	out := make([]fleet.Code, 0, len(phrases))
	for code := range phrases {
		out = append(out, code)
	}
	sortCodes(out)
	return out
}
