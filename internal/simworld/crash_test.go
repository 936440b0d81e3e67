package simworld

import (
	"fmt"
	"testing"
	"time"

	"github.com/everynode/everynode/internal/plan"
)

// story is a short scenario: what it is, and what happens.
type story struct {
	name  string
	setup Setup
	steps []Step
}

// outcomes are what may become of each single request.
var outcomes = []Fault{CrashBefore, CrashAfter, LostAnswer, LateCommit, Conflict, TooMany, ServerError}

// TestCrashPoints plays each story once untouched, and then once for each of its requests and each outcome of that request:
// it must end the same (I22), with all invariants kept on the way.
func TestCrashPoints(t *testing.T) {
	all, runs, points := stories(), 0, 0
	for i, s := range all {
		if testing.Short() && i%8 != 0 {
			continue
		}
		plain := Play(s.schedule(), false)
		tell(t, uint64(i), plain)
		if t.Failed() {
			t.Fatalf("%s: untouched", s.name)
		}
		want := plain.Outcome()
		for n := 1; n <= plain.Stats.Requests; n++ {
			points++
			for _, f := range outcomes {
				sched := s.schedule()
				sched.Calls[n] = f
				sched.Setup.Faults = sched.Setup.Faults.With(f)
				w := Play(sched, false)
				runs++
				if len(w.Found) == 0 && w.Outcome() == want {
					continue
				}
				for _, v := range w.Found {
					t.Errorf("%s, request %d, %s: %s", s.name, n, f, v)
				}
				if got := w.Outcome(); got != want {
					t.Errorf("%s, request %d, %s: %s is violated: it ends as\n%s\nand untouched as\n%s", s.name, n, f, CrashEqual, got, want)
				}
				t.Fatalf("%s", Play(sched, true).Transcript())
			}
		}
	}
	t.Logf("%d stories, %d requests, %d runs", len(all), points, runs)
	if !testing.Short() && len(all) < 100 {
		t.Errorf("%d stories, want at least 100", len(all))
	}
}

func (s story) schedule() Schedule {
	return Schedule{Seed: 1, Setup: s.setup, Steps: s.steps, Calls: map[int]Fault{}}
}

// stories crosses what happens with how the DaemonSet is updated and who binds.
func stories() []story {
	second := func(k ...StepKind) (steps []Step) {
		for i, k := range k {
			steps = append(steps, Step{After: 8 * time.Second, Do: k, Dice: uint64(i + 3)})
		}
		return steps
	}
	plots := map[string][]Step{
		"first Pods":                    second(StepWait),
		"rollout":                       second(StepTemplate),
		"two rollouts":                  {{After: 8 * time.Second, Do: StepTemplate, Dice: 3}, {After: time.Second, Do: StepTemplate, Dice: 5}},
		"bad rollout and back":          second(StepBadTemplate, StepTemplateBack),
		"a node joins":                  second(StepNodeJoins),
		"a node leaves":                 second(StepNodeLeaves),
		"a node is replaced":            second(StepNodeReplaced),
		"a Pod is deleted":              second(StepPodDeleted),
		"a Pod fails":                   second(StepPodFails),
		"a Pod succeeds in a rollout":   {{After: 8 * time.Second, Do: StepTemplate, Dice: 3}, {After: time.Second, Do: StepPodSucceeds, Dice: 5}},
		"a Pod is orphaned":             second(StepPodOrphaned),
		"a Pod is relabelled":           second(StepPodRelabelled),
		"taints come and go":            second(StepTaint, StepUntaint),
		"quota, then none":              second(StepQuota, StepNodeJoins, StepLift),
		"deleted and made again":        second(StepDeleteSet),
		"orphaned and made again":       second(StepOrphanSet),
		"foreground and made again":     second(StepForegroundSet),
		"the strategy changes":          second(StepStrategy, StepTemplate),
		"a revision is deleted":         second(StepRevisionDeleted),
		"a revision's name is taken":    second(StepRevisionTaken, StepTemplate),
		"a kubelet dies and comes back": second(StepSilence, StepTemplate, StepHear),
	}
	var out []story
	for _, name := range sortedKeys(plots) {
		for i, update := range []string{"rolling", "surge", "OnDelete"} {
			for _, placement := range []plan.Placement{plan.Direct, plan.Scheduler} {
				out = append(out, story{
					name: fmt.Sprintf("%s, %s, %s", name, update, placement),
					setup: Setup{
						Placement: placement, Nodes: 3, Daemons: 1, Replicas: 1, ReadyAfter: time.Second, Grace: time.Second,
						Surge: i == 1, OnDelete: i == 2, MinReady: int32(i % 2),
					},
					steps: plots[name],
				})
			}
		}
	}
	return out
}
