package explore

import "slices"

// Bounds of the arrays below; a world that outgrows one of them stops the exploration.
const (
	maxNodes = 3
	maxPods  = 4
	maxCalls = 8
	maxLag   = 2

	// maxUnanswered calls may a leader have for one node. It could have more only where answers are later than the answers
	// to what was sent long after.
	maxUnanswered = 3
)

// phase is how far a Pod has come. It only ever grows, so it also says which of two facts about a Pod is newer.
type phase uint8

const (
	pending phase = iota + 1
	ready
	unready // was ready once
	again   // ready once more
	failed
	ending // deletionTimestamp is set
	ended  // the same, and its containers have ended
)

func (p phase) available() bool { return p == ready || p == again }
func (p phase) live() bool      { return p >= pending && p <= again }

// name is a derived Pod name: the UIDs in its salt, in their order. Other names that a planner gives are odd, and numbered.
type name [3]uint8

const odd = 0xF0

// salted tells that another Pod held the first name when this was chosen.
func (n name) salted() bool { return n[0] != 0 && n[0] < odd }

// pod is what the API server has of a Pod, or what a leader knows of it. The zero value is none.
type pod struct {
	uid   uint8 // counted from 1 on each node, in the order of creation; 0 while its create call is in flight
	rev   uint8
	phase phase
	name  name
	late  bool // made by a call that nobody waited for any more
	// What a leader has marked.
	creating, deleting bool
}

// view is what a leader knows of one node.
type view struct {
	up, aged bool // aged: the node has been gone for longer than the quarantine
	// unsure: a create of this name was not answered and may yet be carried out.
	unsure     bool
	unsureName name
	// asked is how many creates are not answered. It is counted when a plan is made.
	asked uint8
	pods  [maxPods]pod
}

type callKind uint8

const (
	noCall callKind = iota
	create
	remove
)

// step of a call: sent, or landed with an answer that is on its way back.
type progress uint8

const (
	sent     progress = iota
	done              // pod is the Pod as it was made, or as it holds the name
	conflict          // pod is the Pod as it is
	gone
)

// owners of a call: the leader, the one that was paused, or nobody who waits for the answer.
const (
	leader = iota
	paused
	nobody
)

// call is a create or delete that is in flight.
type call struct {
	kind     callKind
	owner    uint8
	step     progress
	pod      pod // to create, or to delete as the plan saw it
	guarded  bool
	nodeGone bool
	late     bool // landed after its owner was paused
	old      bool // its owner has been succeeded since
	excused  bool // its owner has seen the node vanish since, or the Pod is surplus
}

// takings of a node's available Pod by us, until another is available.
const (
	untouched = iota
	taken
	takenLate // by a call that landed after its leader was succeeded
)

type node struct {
	up    bool
	taken uint8
	pods  [maxPods]pod
	views [2]view
	calls [maxCalls]call
}

type eventKind uint8

const (
	noEvent eventKind = iota
	podChanged
	podGone
	nodeChanged
	templateChanged
)

// stream says which watch an event comes by; each keeps its own order.
func (k eventKind) stream() eventKind {
	if k == podGone {
		return podChanged
	}
	return k
}

// event is something that a leader's watch has yet to tell.
type event struct {
	kind eventKind
	node uint8
	up   bool
	pod  pod
	// template is the new one.
	template uint8
}

// state is one moment of the world. It is a value: to copy it is to branch.
type state struct {
	nodes    [maxNodes]node
	template uint8
	believed [2]uint8
	queues   [2][maxLag]event
	zombie   bool // a paused leader may still act
	left     Faults
	epoch    [2]uint8
}

// revOf is the revision of a template: the third template is the first one again.
func revOf(template uint8) uint8 { return template % 2 }

// rank orders Pods by UID, and tells apart any that differ; none comes last.
func (p pod) rank() uint64 {
	if p.phase == 0 {
		return 1<<64 - 1
	}
	n := uint64(p.uid)<<40 | uint64(p.phase)<<32 | uint64(p.rev)<<36 | uint64(p.name[0])<<24 | uint64(p.name[1])<<16 | uint64(p.name[2])<<8
	return n | uint64(bitsOf(p.creating, p.deleting, p.late))
}

// bare is the Pod without a leader's marks.
func (p pod) bare() pod {
	p.creating, p.deleting = false, false
	return p
}

// put adds to a small array or panics: then the bounds are too small for the scope.
func put[T comparable](list []T, v T) {
	var zero T
	i := slices.Index(list, zero)
	if i < 0 {
		panic("explore: the world has outgrown the bounds in state.go")
	}
	list[i] = v
}

// find gives the index of the Pod with that UID, or -1.
func find(pods []pod, uid uint8) int {
	return slices.IndexFunc(pods, func(p pod) bool { return uid != 0 && p.uid == uid })
}

// holder gives the index of the Pod with that name, or -1.
func holder(pods []pod, n name) int {
	return slices.IndexFunc(pods, func(p pod) bool { return p.phase != 0 && p.name == n })
}

// rank orders calls; none comes last.
func (c call) rank() uint64 {
	if c.kind == noCall {
		return 1<<64 - 1
	}
	return c.pod.rank()&(1<<48-1) | uint64(c.kind)<<48 | uint64(c.owner)<<50 | uint64(c.step)<<52 | uint64(c.flags())<<54
}

func (c call) flags() uint8 { return bitsOf(c.guarded, c.nodeGone, c.late, c.old, c.excused) }

func bitsOf(flags ...bool) (n uint8) {
	for i, on := range flags {
		if on {
			n |= 1 << i
		}
	}
	return n
}

// ranked is what canon brings into order.
type ranked interface{ rank() uint64 }

// inOrder sorts a short list in place.
func inOrder[T ranked](list []T) {
	for i := 1; i < len(list); i++ {
		v, r := list[i], list[i].rank()
		j := i
		for ; j > 0 && list[j-1].rank() > r; j-- {
			list[j] = list[j-1]
		}
		list[j] = v
	}
}
