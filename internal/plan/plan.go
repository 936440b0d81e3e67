package plan

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Placement says who binds a Pod to its node.
type Placement string

const (
	// Direct sets spec.nodeName at creation; room and ports are checked first. No scheduler is needed.
	Direct Placement = "direct"
	// Scheduler pins the Pod with node affinity on metadata.name, and kube-scheduler binds it (U033).
	Scheduler Placement = "scheduler"
)

// Input is all that a decision for one DaemonSet depends on.
type Input struct {
	Daemon *fleet.Daemon
	// Revisions are the DaemonSet's ControllerRevisions and those of nobody that its selector matches.
	Revisions []*appsv1.ControllerRevision
	// Orphans are the Pods of nobody that its selector matches.
	Orphans []*fleet.Pod
	// Template is revision.Data of the DaemonSet's template, which takes long to make; nil has it made here.
	Template []byte
	// Changed are the slots to look at again, from Daemon.Changed. A Book that sees the Daemon for the first time looks at all.
	Changed   []*fleet.Slot
	Now       time.Time
	Placement Placement
}

// Plan is what should be done for one DaemonSet now.
type Plan struct {
	Daemon *fleet.Daemon
	// Hash is the label of the current revision; empty while that revision does not exist yet, and then no Pod is touched.
	Hash string
	// Actions are in the order in which they matter: history, ownership, missing Pods, everything else.
	Actions []Action
	// Waits tells for each node where something is left undone why that is so.
	Waits []Wait
	// Waiting are the numbers of nodes that wait, by reason; it is there without the list as well.
	Waiting map[fleet.Code]int
	// Due is how many calls there are to make, but for ownership; Stamp is another one whenever what holds a node up changed.
	Due   int
	Stamp uint64
	// Next is the earliest moment at which time alone changes the plan; zero when only an event can.
	Next   time.Time
	Counts Counts
	// Budget is what the update strategy allows, resolved to numbers.
	Budget Budget
	// Problem is set when nothing can be decided at all.
	Problem *fleet.Reason
}

// Kind is what an Action does.
type Kind uint8

// The kinds of actions.
const (
	// Create makes a Pod.
	Create Kind = iota
	// Delete removes a Pod.
	Delete
	// Adopt makes an orphan Pod ours (U053).
	Adopt
	// Release gives up a Pod that the selector no longer matches (U052).
	Release
	// Relabel gives a Pod another revision hash, after two equal revisions became one (U191).
	Relabel
	// DryRun asks the server whether it would accept a Pod of the new revision.
	DryRun
	// Revise changes a ControllerRevision.
	Revise
)

// String gives the kind's name in lower case.
func (k Kind) String() string {
	return [...]string{"create", "delete", "adopt", "release", "relabel", "dry-run", "revise"}[k]
}

// Action is one call to the API, with the reason for it.
type Action struct {
	Kind   Kind
	Reason fleet.Reason
	// Node is the slot that the action is for; empty for history.
	Node string
	// Name is the derived name of the Pod to create.
	Name string
	// Pod is the Pod to delete, adopt, release or relabel; for DryRun the old Pod that would go first.
	Pod *fleet.Pod
	// Guarded deletes are carried out only while the Pod is as it was seen (resourceVersion); all carry the UID.
	Guarded bool
	// NodeGone deletes need a fresh read that the node does not exist, and end the Pod at once.
	NodeGone bool
	// Hash is the revision that a Relabel gives.
	Hash string
	// Revision is set for Revise.
	Revision RevisionChange
}

// Wait says why a node is left as it is although it is not as it should be.
type Wait struct {
	Node   string
	Reason fleet.Reason
	// Until is when time alone ends the wait; zero when only an event can.
	Until time.Time
}

// Counts are the numbers of the DaemonSet's status (U210–U218), by node.
type Counts struct {
	Desired, Current, Misscheduled, Ready, Available, Updated int32
}

// Budget is the update strategy in numbers (U149–U153).
type Budget struct {
	Strategy appsv1.DaemonSetUpdateStrategyType
	// Surging tells that a node may hold an old and a new Pod at once.
	Surging        bool
	MaxUnavailable int
	MaxSurge       int
	// Used is how many nodes count against the budget that applies.
	Used int
	// PortsForbidSurge: maxSurge was asked for, but two Pods cannot hold one host port (D9).
	PortsForbidSurge bool
}

// planner looks at the slots of one DaemonSet, one at a time.
type planner struct {
	Input
	d *fleet.Daemon
	frame
	*entry // of the slot that is looked at
	// spare is an entry that was of no use, for the next look.
	spare *entry
	// read are the labels of the Pods that were looked at last, by what such Pods share: in a rollout there are two kinds of them in each
	// zone. oldest is where the one is that was read first.
	read   [8]worn
	oldest int
	// leaving are the slot's Pods that this plan deletes, which later steps must see as gone.
	leaving []*fleet.Pod
	// claimed: an orphan is on the node, to be adopted or ending; adopting: one is to be adopted, and a rollout waits to see who stays.
	claimed, adopting bool
	// settling: the slot has surplus Pods; a rollout leaves it alone until one is left.
	settling bool
}

// worn is what the labels of a shape say of its Pods' template.
type worn struct {
	shape            *fleet.Shape
	hash, generation string
}

// worn gives what a Pod's labels say.
func (p *planner) worn(pod *fleet.Pod) worn {
	for i := range p.read {
		if p.read[i].shape == pod.Shape {
			return p.read[i]
		}
	}
	w := worn{pod.Shape, pod.Hash(), pod.Labels[fleet.TemplateGenerationLabel]}
	p.read[p.oldest], p.oldest = w, (p.oldest+1)%len(p.read)
	return w
}

// frame is what the look at every slot depends on beside the slot itself. When it changes, all of them are looked at again.
type frame struct {
	// hash is the label of the current revision; empty while there is none.
	hash string
	// template is the DaemonSet's template generation, empty if none is served (U140).
	template string
	// generation is what backoffs belong to.
	generation int64
	strategy   appsv1.DaemonSetUpdateStrategyType
	surging    bool
	minReady   time.Duration
}

// Compute decides for one DaemonSet, from scratch. It is the specification of what a Book gives by difference.
func Compute(in Input) (Plan, error) {
	b := NewBook()
	if err := b.Update(in); err != nil {
		return Plan{}, err
	}
	return b.Full(), nil
}

// SelectingAll is the event reason for a selector that would select every Pod (U064).
const SelectingAll fleet.Code = "SelectingAll"

// act notes what is done on the slot in any case.
func (p *planner) act(a Action) {
	if a.Kind == Delete {
		p.leaving = append(p.leaving, a.Pod)
	}
	p.actions = append(p.actions, a)
}

func (p *planner) wait(code fleet.Code, detail string, until time.Time) {
	p.waits = append(p.waits, Wait{Node: p.slot.NodeName, Reason: fleet.Reason{Code: code, Detail: detail}, Until: until})
	p.lookAgain(until)
}

// lookAgain moves the slot's next look forward to the moment at, if that is in the future and earlier.
func (p *planner) lookAgain(at time.Time) { p.next = sooner(p.next, at, p.Now) }

// sooner is the earlier of two moments after now; zero stands for never.
func sooner(a, b, now time.Time) time.Time {
	if b.After(now) && (a.IsZero() || b.Before(a)) {
		return b
	}
	return a
}

// going tells that a Pod is on its way out, by its own state or by this plan.
func (p *planner) going(pod *fleet.Pod) bool { return pod.Leaving() || slices.Contains(p.leaving, pod) }

// updated tells whether a Pod belongs to the current revision: by its hash, or by the template generation that the server
// counts (U140).
func (p *planner) updated(pod *fleet.Pod) bool {
	return p.worn(pod).hash == p.hash || p.sameGeneration(pod)
}

// sameGeneration tells whether a Pod was made from the template as it is. The server counts generations from 1 for each
// DaemonSet, so the label of a Pod that is older than the DaemonSet, an adopted one, says nothing.
func (p *planner) sameGeneration(pod *fleet.Pod) bool {
	return p.template != "" && p.worn(pod).generation == p.template &&
		!pod.Created.Time().Before(p.d.Object.CreationTimestamp.Time)
}

// unclear tells of an old Pod that it may serve, but that this controller cannot know for how long it has been Ready: it is not
// taken for one that serves nothing, and looked at again when it has been Ready for long enough by the own clock.
func (p *planner) unclear(old *fleet.Pod) bool {
	if !old.ClockUnclear || p.available(old) {
		return false
	}
	at, ready := old.AvailableAt(p.minReady)
	if ready {
		p.wait(fleet.MinReady, old.Name+": since when it is Ready is not known", at)
	}
	return ready
}

// available tells whether a Pod has been Ready for minReadySeconds (U134).
func (p *planner) available(pod *fleet.Pod) bool {
	at, ok := pod.AvailableAt(p.minReady)
	return ok && !at.After(p.Now)
}
