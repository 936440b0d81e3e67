package explore

import (
	"fmt"

	"github.com/everynode/everynode/internal/plan"
)

// Result is what an exploration found.
type Result struct {
	Scope Scope
	// States and Steps are the size of the graph, Depth the length of the longest shortest story, Rests the states in which
	// everything is as it should be, and Plans how many different plans were made.
	States, Steps, Depth, Rests, Plans int
	// Whole tells that there is nothing beyond: no bound has cut the exploration short.
	Whole bool
	Worst Worst
	// Broken is the promise that does not hold, empty if all do, and Story the shortest way to see it.
	Broken string
	Story  []string
}

// unknown is the number of no state.
const unknown = ^uint32(0)

// search is one breadth-first exploration.
type search struct {
	world
	canon  *canon
	result Result
	index  map[key]uint32
	parent []uint32
	// edges of fair moves, for the way to rest: those of state i are to[from[i]:from[i+1]].
	from []uint64
	to   []uint32
	rest []uint32
	// border and next are the states of this depth and of the one below, in the order of their numbers.
	border, next []state
}

// Run explores the scope. An error says that the planner did something that the model has no words for.
func Run(c Scope) (Result, error) {
	x, err := newSearch(c)
	if err != nil {
		return Result{}, err
	}
	err = x.run()
	x.result.States, x.result.Plans = len(x.parent), len(x.decider.memo)
	return x.result, err
}

func newSearch(c Scope) (*search, error) {
	if c.Lag > maxLag || c.Nodes > maxNodes || c.Faults.Changes >= templates {
		return nil, fmt.Errorf("scope %s is larger than the bounds in state.go", c.Name)
	}
	f, err := newFacts(&c)
	if err != nil {
		return nil, err
	}
	planner := c.Planner
	if planner == nil {
		planner = func(in plan.Input, _ uint8) (plan.Plan, error) { return plan.Compute(in) }
	}
	return &search{
		world: world{
			scope: &c, learner: &learner{facts: f, memo: map[lessonKey]view{}},
			decider:  &decider{scope: &c, facts: f, planner: planner, memo: map[planKey][]order{}},
			seatings: c.seatings(),
		},
		canon: newCanon(c.Exact), result: Result{Scope: c}, index: map[key]uint32{},
	}, nil
}

func (x *search) run() error {
	first := x.scope.first()
	first.tidy()
	x.meet(first, unknown, move{})
	for at := uint32(0); len(x.next) > 0 && x.result.Broken == ""; x.result.Depth++ {
		if x.scope.Depth > 0 && x.result.Depth >= x.scope.Depth || x.scope.States > 0 && len(x.parent) >= x.scope.States {
			return nil
		}
		x.border, x.next = x.next, x.border[:0]
		for i := range x.border {
			if x.expand(&x.border[i], at); x.failure != nil || x.result.Broken != "" {
				return x.failure
			}
			at++
		}
	}
	x.result.Depth--
	x.result.Whole = true
	x.live()
	return x.failure
}

// expand meets all that can come after a state.
func (x *search) expand(s *state, at uint32) {
	x.from = append(x.from, uint64(len(x.to)))
	x.moves(s, func(t state, m move) {
		if x.result.Broken != "" {
			return
		}
		t.tidy()
		x.result.Steps++
		n := x.meet(t, at, m)
		if m.fair() {
			x.to = append(x.to, n)
		}
	})
	if x.scope.rest(s) {
		x.rest = append(x.rest, at)
		x.quiet(s, at)
	}
}

// quiet wants a state of rest to give an empty plan.
func (x *search) quiet(s *state, at uint32) {
	for _, seats := range x.seatings {
		if orders, err := x.decider.decide(s, leader, seats); err != nil || len(orders) > 0 {
			x.breaks("at rest the plan is not empty", at, nil)
		}
	}
}

// meet numbers a state, and checks it when it is new.
func (x *search) meet(s state, parent uint32, m move) uint32 {
	k := x.canon.key(&s)
	n, known := x.index[k]
	if !known {
		n = uint32(len(x.parent))
		x.index[k] = n
		x.parent = append(x.parent, parent)
		x.next = append(x.next, s)
		worst, broken := x.scope.check(&s)
		x.result.Worst.add(worst)
		if broken != "" {
			x.breaks(broken, n, nil)
		}
	}
	if m.broken != "" && x.result.Broken == "" {
		x.breaks(m.broken, parent, &m)
	}
	return n
}

// breaks notes a broken promise and the story that ends in state n, or with one more move.
func (x *search) breaks(why string, n uint32, last *move) {
	if x.result.Broken != "" {
		return
	}
	x.result.Broken = why
	x.result.Story = x.story(n, last)
}

// live wants a fair way from every state to one of rest.
func (x *search) live() {
	x.result.Rests = len(x.rest)
	x.from = append(x.from, uint64(len(x.to)))
	n := len(x.parent)
	start := make([]uint64, n+1) // of each state's predecessors in back
	for _, t := range x.to {
		start[t+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	back, fill := make([]uint32, len(x.to)), append([]uint64(nil), start...)
	for i := range n {
		for _, t := range x.to[x.from[i]:x.from[i+1]] {
			back[fill[t]] = uint32(i)
			fill[t]++
		}
	}
	reached := make([]bool, n)
	queue := append([]uint32(nil), x.rest...)
	for _, r := range queue {
		reached[r] = true
	}
	for len(queue) > 0 {
		t := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, p := range back[start[t]:start[t+1]] {
			if !reached[p] {
				reached[p] = true
				queue = append(queue, p)
			}
		}
	}
	for i, ok := range reached {
		if !ok { // the first is the one with the shortest story
			x.breaks("no path without further faults leads to rest", uint32(i), nil)
			return
		}
	}
}
