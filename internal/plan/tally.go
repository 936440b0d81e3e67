package plan

// tally is what a slot is counted in, as a set of bits: millions of them are kept.
type tally uint16

const (
	desired tally = 1 << iota
	current
	misscheduled
	ready
	available
	updated
	// used: the slot counts against the budget.
	used
	// serves: with surge, the node has an available Pod.
	serves
	// zoned: the slot counts in its zone, and lost: as one that lacks an available Pod.
	zoned
	lost
)

func (t *tally) set(bit tally, on bool) {
	if on {
		*t |= bit
	}
}

func (t tally) has(bit tally) bool { return t&bit != 0 }

// kept is a slot's tally with the number of the zone that it was counted in.
type kept struct {
	tally
	zone uint32
}

// sums are the numbers of slots with each bit.
type sums struct {
	Counts
	used, serving int
}

func (s *sums) add(t tally, by int) {
	n := int32(by)
	for _, c := range []struct {
		bit tally
		sum *int32
	}{
		{desired, &s.Desired},
		{current, &s.Current},
		{misscheduled, &s.Misscheduled},
		{ready, &s.Ready},
		{available, &s.Available},
		{updated, &s.Updated},
	} {
		if t.has(c.bit) {
			*c.sum += n
		}
	}
	if t.has(used) {
		s.used += by
	}
	if t.has(serves) {
		s.serving += by
	}
}
