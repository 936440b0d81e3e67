package explain

import (
	"fmt"
	"time"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/snapshot"
)

// next says what happens next on a node, and when.
func (b *Book) next(s *fleet.Slot, f finding) string {
	if b.runner.By == snapshot.Nobody && f.reason.Code != Available {
		return "nothing, until a controller runs this DaemonSet"
	}
	if say := nextByCode[f.reason.Code]; say != nil {
		return say(b, s, f)
	}
	for _, a := range b.actions[s.NodeName] {
		return b.actionText(a)
	}
	switch f.answer {
	case Runs:
		return "nothing to do"
	case MayStay:
		return "the Pod stays until it ends; no other is created"
	case MustNot:
		return b.leaving(s)
	}
	return "the controller looks again when something changes"
}

type sayNext func(b *Book, s *fleet.Slot, f finding) string

// nextByCode are the codes of which more can be said than what the plan does.
var nextByCode = map[fleet.Code]sayNext{
	NotRead: func(*Book, *fleet.Slot, finding) string { return "not known" },
	fleet.CallBackoff: func(b *Book, _ *fleet.Slot, f finding) string {
		if f.until.IsZero() {
			return "the controller tries again" + b.pauses("; each pause is twice as long, up to a minute", "; each pause is twice as long, up to 17 minutes")
		}
		return "the controller tries again " + b.in(f.until)
	},
	fleet.FailureBackoff: func(b *Book, _ *fleet.Slot, f finding) string {
		return "the failed Pod is deleted and replaced " + b.in(f.until)
	},
	fleet.PodFailed: func(*Book, *fleet.Slot, finding) string {
		return "the failed Pod is deleted and replaced, after a pause that doubles with each failure, up to 15 minutes"
	},
	fleet.NoRoom: func(*Book, *fleet.Slot, finding) string {
		return "the Pod is created as soon as another one leaves the node or its allocatable grows; no running Pod is removed for it"
	},
	fleet.PortTaken: func(*Book, *fleet.Slot, finding) string {
		return "the Pod is created as soon as the port is free"
	},
	fleet.PodTerminating: func(_ *Book, s *fleet.Slot, _ finding) string {
		if !s.Verdict.ShouldRun() {
			return "no Pod is created when it has ended"
		}
		return "a new Pod is created as soon as the old one has ended; there is no limit to that wait"
	},
	fleet.BudgetUsed: func(*Book, *fleet.Slot, finding) string {
		return "the Pod is replaced when the nodes before it are available again"
	},
	fleet.MinReady: func(b *Book, _ *fleet.Slot, f finding) string {
		return "it counts as available " + b.in(f.until)
	},
	fleet.NodeQuarantine: func(b *Book, _ *fleet.Slot, f finding) string {
		if f.until.IsZero() {
			return fmt.Sprintf("its Pods are removed when the node has been gone for %s", plan.Quarantine)
		}
		return "its Pods are removed " + b.in(f.until) + ", unless the node comes back"
	},
	fleet.UpdateOnDelete: func(*Book, *fleet.Slot, finding) string {
		return "nothing, until somebody deletes the Pod; its successor has the new revision"
	},
	RolloutBlocked: func(b *Book, _ *fleet.Slot, _ finding) string {
		at := b.daemon.Stalled.Until
		if at.IsZero() || !at.After(b.world.Now) {
			return "the controller asks again, with pauses of up to a minute; the old Pod runs on"
		}
		return "the controller asks again " + b.in(at) + "; the old Pod runs on"
	},
	DaemonSetDeleting: func(_ *Book, s *fleet.Slot, _ finding) string {
		switch pod := first(s); {
		case pod == nil:
			return "nothing; no Pod is created any more"
		case pod.Leaving():
			return "the Pod is ending; the DaemonSet goes after its last Pod, if it was deleted in the foreground"
		}
		return "the garbage collector removes the Pod"
	},
	SelectingAll: func(*Book, *fleet.Slot, finding) string {
		return "nothing, until the DaemonSet is replaced by one with a selector"
	},
	ImagePullFailed: func(*Book, *fleet.Slot, finding) string {
		return "the kubelet tries again, with pauses of up to 5 minutes"
	},
	CrashLoop: func(*Book, *fleet.Slot, finding) string {
		return "the kubelet restarts the container, with pauses of up to 5 minutes"
	},
	ProbeFailing: func(*Book, *fleet.Slot, finding) string {
		return "the kubelet goes on probing; the controller waits"
	},
	ContainerNotStarted: func(*Book, *fleet.Slot, finding) string {
		return "the kubelet goes on; the controller waits"
	},
	Unscheduled: func(*Book, *fleet.Slot, finding) string {
		return "the scheduler binds the Pod when it can; the controller waits"
	},
	NodeNotReady: func(_ *Book, _ *fleet.Slot, f finding) string {
		if f.pod == nil {
			return "a Pod is created when the node is Ready again"
		}
		return "the Pod stays on the node; how it fares is known when the node is Ready again"
	},
	fleet.SelectorMatches: func(*Book, *fleet.Slot, finding) string {
		return "the controller adopts the Pod, and then judges its revision"
	},
	fleet.SelectorMismatch: func(*Book, *fleet.Slot, finding) string {
		return "the controller gives the Pod up, and a new one is created; the released one runs on, of nobody"
	},
}

// pauses chooses the words for the controller that runs the DaemonSet.
func (b *Book) pauses(ours, theirs string) string {
	if b.everynode() {
		return ours
	}
	return theirs
}

// leaving is what becomes of Pods where none may be.
func (b *Book) leaving(s *fleet.Slot) string {
	switch pod := first(s); {
	case s.Node == nil && pod != nil && !b.everynode():
		return "the Pod garbage collector removes its Pods"
	case pod == nil:
		return "nothing; a change of the node or of the template is noticed at once"
	case pod.Leaving():
		return "the Pod is ending; no other is created"
	}
	return "the Pod is deleted"
}

// actionText says what the controller does.
func (b *Book) actionText(a plan.Action) string {
	switch a.Kind {
	case plan.Create:
		if b.everynode() {
			return "the controller creates Pod " + a.Name
		}
		return "the controller creates a Pod"
	case plan.Delete:
		return "the controller deletes Pod " + a.Pod.Name
	case plan.Adopt:
		return "the controller adopts Pod " + a.Pod.Name
	case plan.Release:
		return "the controller gives up Pod " + a.Pod.Name
	case plan.Relabel:
		return "the controller labels Pod " + a.Pod.Name + " with revision " + a.Hash
	case plan.DryRun:
		return "the controller asks the API server whether it would take a Pod of the new revision"
	}
	return "the controller writes the revision history"
}

// in says when, by the clock of whoever took the snapshot.
func (b *Book) in(t time.Time) string {
	if !t.After(b.world.Now) {
		return "now"
	}
	return ago(b.world.Now, t)
}
