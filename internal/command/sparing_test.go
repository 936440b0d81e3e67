package command

import (
	"testing"
	"time"
)

// One processor is used until it is full, all are until they have been calm for a while.
func TestProcessors(t *testing.T) {
	var p processors
	start := time.Unix(1000, 0)
	for _, s := range []struct {
		at   time.Duration
		used float64
		all  bool
	}{
		{1 * time.Second, 0.05, false},
		{2 * time.Second, 0.69, false},
		{3 * time.Second, 0.7, true}, // the list of a large cluster comes in
		{4 * time.Second, 1.9, true},
		{5 * time.Second, 0.1, true},
		{33 * time.Second, 0.4, true}, // not calm yet: the patience begins anew
		{34 * time.Second, 0.3, true},
		{62 * time.Second, 0, true},
		{63 * time.Second, 0, false},
		{64 * time.Second, 0.6, false},
		{65 * time.Second, 0.8, true},
	} {
		if got := p.next(s.used, start.Add(s.at)); got != s.all {
			t.Errorf("%v: %v of a processor used: all is %v, want %v", s.at, s.used, got, s.all)
		}
	}
}

// A small heap may have 8 MiB of garbage, a larger one half as much again as is in use, up to 32 MiB, and a large one two fifths.
func TestGarbage(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 4 << 20: 200, 8 << 20: 150, 16 << 20: 150, 40 << 20: 80, 64 << 20: 50, 100 << 20: 40, 2 << 30: 39} {
		if got := garbagePercent(live); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", live, got, want)
		}
	}
}

// What a process used goes up as it works.
func TestUsed(t *testing.T) {
	before := used()
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
	}
	if after := used(); after <= before {
		t.Errorf("used %v, then %v", before, after)
	}
}
