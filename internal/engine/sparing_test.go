package engine

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// DaemonSets that are on their way share the writes of their status; what is the last news, or that a spec was seen, is told at once.
func TestStatusWritesAreShared(t *testing.T) {
	now := time.Unix(1000, 0)
	moving := desk{movedAt: now.Add(-9 * time.Second)}
	for what, c := range map[string]struct {
		others int // on their way
		k      desk
		active bool
		unseen bool
		want   time.Duration
	}{
		"alone on its way": {0, moving, false, false, 2 * time.Second},
		"one of five":      {4, moving, false, false, 2500 * time.Millisecond},
		"one of twenty":    {19, moving, false, false, 10 * time.Second},
		"one of a hundred": {99, moving, false, false, 10 * time.Second},
		"settled while a hundred are on their way": {100, desk{settled: true, movedAt: now}, false, false, 100 * time.Millisecond},
		"its Pods change by themselves":            {0, desk{movedAt: now.Add(-11 * time.Second)}, false, false, time.Second},
		"so do those of nineteen others":           {19, desk{wroteAt: now.Add(-time.Second)}, false, false, 2500 * time.Millisecond},
		"it was news for the last time long ago":   {2, desk{wroteAt: now.Add(-11 * time.Second)}, false, false, time.Second},
		"its last call is under way":               {0, desk{busy: 1}, false, false, 2 * time.Second},
		"settled, and something is to begin":       {0, desk{settled: true}, true, false, 2 * time.Second},
		"a spec that its status has not seen":      {99, moving, false, true, 0},
		"one of which nothing was ever asked":      {0, desk{}, false, false, time.Second},
	} {
		core := &Core{desks: map[types.UID]*desk{"at rest": {settled: true, movedAt: now}, "long ago": {movedAt: now.Add(-time.Minute)}}}
		for i := range c.others {
			core.desks[types.UID(fmt.Sprint(i))] = &desk{movedAt: now}
		}
		core.desks["ours"] = &c.k
		d := &fleet.Daemon{Object: &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Status: appsv1.DaemonSetStatus{ObservedGeneration: 2}}}
		if c.unseen {
			d.Object.Status.ObservedGeneration = 1
		}
		if got := core.statusGap(d, &c.k, c.active, now); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

// Many rounds of creates are one event every half a minute, and the last is told of when all is done.
func TestRoundsAreSummedUp(t *testing.T) {
	var told []string
	start := time.Unix(1000, 0)
	core := NewCore(plan.Direct, func(_ *appsv1.DaemonSet, e report.Event, now time.Time) {
		told = append(told, fmt.Sprintf("+%v %s", now.Sub(start), e.Message))
	}, meter{})
	k, d := &desk{}, &fleet.Daemon{Object: &appsv1.DaemonSet{}}
	for second := range 65 {
		now := start.Add(time.Duration(second) * time.Second)
		k.made = append(k.made, fmt.Sprintf("d-%d", second))
		k.settled = second == 64
		core.sumUp(d, k, now)
	}
	core.sumUp(d, k, start.Add(time.Hour))
	want := []string{
		"+0s Created pod: d-0",
		"+30s Created 30 pods: d-1, d-2, d-3, d-4, d-5 and 25 more",
		"+1m0s Created 30 pods: d-31, d-32, d-33, d-34, d-35 and 25 more",
		"+1m4s Created 4 pods: d-61, d-62, d-63, d-64",
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told\n%v\nwant\n%v", told, want)
	}
	if !k.wake.Equal(start.Add(sumGap)) { // the earliest that was asked for
		t.Errorf("the next look is at +%v, want +%v", k.wake.Sub(start), sumGap)
	}
}

// A round that has not ended is told of at its end, unless it is a large one.
func TestARoundUnderWayIsToldOfAtItsEnd(t *testing.T) {
	told := 0
	core := NewCore(plan.Direct, func(*appsv1.DaemonSet, report.Event, time.Time) { told++ }, meter{})
	k, d, now := &desk{busy: 1, made: make([]string, sumMany-1)}, &fleet.Daemon{Object: &appsv1.DaemonSet{}}, time.Unix(1000, 0)
	if core.sumUp(d, k, now); told != 0 {
		t.Errorf("%d events while a call is under way", told)
	}
	k.made = append(k.made, "d-49")
	if core.sumUp(d, k, now); told != 1 || len(k.made) != 0 {
		t.Errorf("%d events after %d Pods; %d are not told of", told, sumMany, len(k.made))
	}
}
