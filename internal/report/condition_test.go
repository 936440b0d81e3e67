package report

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

var noWaits = slices.Values([]plan.Wait{})

// story is a DaemonSet whose status is written whenever it is worth it.
type story struct {
	t        *testing.T
	p        plan.Plan
	progress Progress
	now      time.Time
	writes   int
}

func rolling(t *testing.T, desired int32) *story {
	s := &story{t: t, now: t0}
	s.p = plan.Plan{
		Hash:   "aaa",
		Daemon: &fleet.Daemon{Object: &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Generation: 1}}},
		Counts: plan.Counts{Desired: desired},
		Budget: plan.Budget{Strategy: appsv1.RollingUpdateDaemonSetStrategyType, MaxUnavailable: 1},
	}
	return s
}

// template gives the DaemonSet another revision: no Pod has it yet.
func (s *story) template(hash string) {
	s.p.Hash, s.p.Counts.Updated = hash, 0
	s.p.Daemon.Object.Generation++
}

func (s *story) counts(current, updated, available int32) {
	s.p.Counts.Current, s.p.Counts.Updated, s.p.Counts.Ready, s.p.Counts.Available = current, updated, available, available
}

func (s *story) waits(waits ...string) {
	s.p.Waits, s.p.Waiting = nil, map[fleet.Code]int{}
	for i := 0; i < len(waits); i += 2 {
		s.p.Waits = append(s.p.Waits, plan.Wait{Node: waits[i], Reason: fleet.Reason{Code: fleet.Code(waits[i+1])}})
		s.p.Waiting[fleet.Code(waits[i+1])]++
	}
}

// after lets time pass and the status be written.
func (s *story) after(d time.Duration) {
	s.now = s.now.Add(d)
	s.progress = s.progress.After(s.p, s.now)
	want := Status(s.p, s.progress, slices.Values(s.p.Waits), s.now)
	if Differs(s.p.Daemon.Object.Status, want) {
		s.writes++
		s.p.Daemon.Object.Status = want
	}
}

// restart gives the DaemonSet to a controller that remembers nothing.
func (s *story) restart() { s.progress = Progress{} }

// says checks what both conditions say, in short.
func (s *story) says(available, progressing string) {
	s.t.Helper()
	for _, want := range []struct {
		of   appsv1.DaemonSetConditionType
		text string
	}{{Available, available}, {Progressing, progressing}} {
		c := condition(s.p.Daemon.Object.Status, want.of)
		if c == nil {
			s.t.Errorf("at %s: no condition %s", s.now.Sub(t0), want.of)
			continue
		}
		got := fmt.Sprintf("%s %s since %s: %s", c.Status, c.Reason, c.LastTransitionTime.Sub(t0), c.Message)
		if got != want.text {
			s.t.Errorf("at %s: %s is\n  %s\nwant\n  %s", s.now.Sub(t0), want.of, got, want.text)
		}
	}
}

func TestConditionsTellOfARolloutFromItsBeginningToItsEnd(t *testing.T) {
	s := rolling(t, 3)
	s.after(0)
	s.says("False MinimumNodesUnavailable since 0s: Available on 0 of 3 nodes; needed: 2 (maxUnavailable is 1).",
		"True RollingOut since 0s: Revision aaa is on 0 of 3 nodes; available on 0.")
	s.counts(3, 3, 2)
	s.after(time.Second)
	s.says("True MinimumNodesAvailable since 1s: Available on 2 of 3 nodes; needed: 2 (maxUnavailable is 1).",
		"True RollingOut since 0s: Revision aaa is on 3 of 3 nodes; available on 2.")
	s.counts(3, 3, 3)
	s.after(time.Second)
	s.says("True MinimumNodesAvailable since 1s: Available on 3 of 3 nodes; needed: 2 (maxUnavailable is 1).",
		"True RolloutComplete since 0s: Revision aaa is rolled out.")

	s.template("bbb")
	s.after(time.Minute)
	s.says("True MinimumNodesAvailable since 1s: Available on 3 of 3 nodes; needed: 2 (maxUnavailable is 1).",
		"True RollingOut since 0s: Revision bbb is on 0 of 3 nodes; available on 3.")
}

func TestACompleteRolloutStaysSoWhenPodsFailOrNodesJoin(t *testing.T) {
	s := rolling(t, 3)
	s.counts(3, 3, 3)
	s.after(0)
	s.counts(2, 2, 1) // one Pod is gone, one is not ready
	s.after(time.Hour)
	s.says("False MinimumNodesUnavailable since 1h0m0s: Available on 1 of 3 nodes; needed: 2 (maxUnavailable is 1).",
		"True RolloutComplete since 0s: Revision aaa is rolled out.")
	s.p.Counts.Desired = 6
	s.after(time.Hour)
	s.says("False MinimumNodesUnavailable since 1h0m0s: Available on 1 of 6 nodes; needed: 5 (maxUnavailable is 1).",
		"True RolloutComplete since 0s: Revision aaa is rolled out.")
	s.counts(0, 0, 0)
	s.after(time.Hour)
	s.says("False MinimumNodesUnavailable since 1h0m0s: Available on 0 of 6 nodes; needed: 5 (maxUnavailable is 1).",
		"True RollingOut since 0s: Revision aaa is on 0 of 6 nodes; available on 0.")
}

func TestTheCompletionOfAnEarlierRevisionIsNoneOfThisOne(t *testing.T) {
	s := rolling(t, 3)
	s.counts(3, 3, 3)
	s.after(0)
	s.template("bbb")
	s.counts(1, 1, 0) // all old Pods went at once, and one new Pod is there
	s.after(time.Second)
	s.says("False MinimumNodesUnavailable since 1s: Available on 0 of 3 nodes; needed: 2 (maxUnavailable is 1).",
		"True RollingOut since 0s: Revision bbb is on 1 of 3 nodes; available on 0.")
}

func TestARolloutThatStandsStillNamesWhatMostNodesWaitFor(t *testing.T) {
	s := rolling(t, 4)
	s.counts(4, 4, 4)
	s.after(0)
	s.template("bbb")
	s.counts(4, 1, 3)
	s.waits("n1", "PodNotReady", "n2", "BudgetUsed", "n3", "BudgetUsed", "n4", "BudgetUsed")
	s.after(time.Second)
	if due, want := s.progress.Due(s.p, s.now), s.now.Add(10*time.Minute); due != want {
		t.Errorf("due at %v, want %v", due, want)
	}
	moving := "True RollingOut since 0s: Revision bbb is on 1 of 4 nodes; available on 3."
	enough := "True MinimumNodesAvailable since 0s: Available on 3 of 4 nodes; needed: 3 (maxUnavailable is 1)."
	s.after(10*time.Minute - time.Second)
	s.says(enough, moving)
	s.after(time.Second)
	still := "False PodNotReady since 10m1s: Revision bbb: no node moved forward for 10 minutes: n1: the new Pod is not ready."
	s.says(enough, still)
	if due := s.progress.Due(s.p, s.now); !due.IsZero() {
		t.Errorf("due again at %v", due)
	}

	// A retry under way, another blocker, and another controller change nothing about it.
	writes := s.writes
	for range 3 {
		s.waits()
		s.after(time.Minute)
		s.waits("n1", "FailureBackoff", "n2", "FailureBackoff")
		s.after(time.Minute)
		s.restart()
	}
	if s.says(enough, still); s.writes != writes {
		t.Errorf("%d writes while nothing moved", s.writes-writes)
	}

	s.counts(4, 1, 4)
	s.after(time.Minute)
	s.says("True MinimumNodesAvailable since 0s: Available on 4 of 4 nodes; needed: 3 (maxUnavailable is 1).",
		"True RollingOut since 17m1s: Revision bbb is on 1 of 4 nodes; available on 4.")
}

func TestMinReadySecondsGiveARolloutMoreTime(t *testing.T) {
	s := rolling(t, 1)
	s.p.Daemon.Object.Spec.MinReadySeconds = 300
	s.after(0)
	s.waits("n1", "CallBackoff")
	s.after(15*time.Minute - time.Second)
	s.says("False MinimumNodesUnavailable since 0s: Available on 0 of 1 node; needed: 1 (maxUnavailable is 1).",
		"True RollingOut since 0s: Revision aaa is on 0 of 1 node; available on 0.")
	s.after(time.Second)
	s.says("False MinimumNodesUnavailable since 0s: Available on 0 of 1 node; needed: 1 (maxUnavailable is 1).",
		"False CallBackoff since 15m0s: Revision aaa: no node moved forward for 10 minutes and minReadySeconds (300): n1: the Pod was refused.")
}

func TestNodesThatComeAndGoAreNoProgress(t *testing.T) {
	s := rolling(t, 4)
	s.counts(4, 1, 3)
	for range 11 { // a node joins each minute, and another leaves
		s.p.Counts.Desired = 9 - s.p.Counts.Desired
		s.after(time.Minute)
	}
	if c := condition(s.p.Daemon.Object.Status, Progressing); c.Status != corev1.ConditionFalse || c.Reason != RolloutStalled {
		t.Errorf("Progressing is %s, %s", c.Status, c.Reason)
	}
}

func TestARefusedDryRunBlocksTheRolloutUntilItIsAccepted(t *testing.T) {
	s := rolling(t, 3)
	s.counts(3, 3, 3)
	s.after(0)
	s.template("bbb")
	s.waits("n1", "DryRunFirst")
	s.p.Daemon.StalledWhy = fleet.Reason{Code: fleet.CallInFlight}
	s.after(time.Second)
	enough := "True MinimumNodesAvailable since 0s: Available on 3 of 3 nodes; needed: 2 (maxUnavailable is 1)."
	s.says(enough, "True RollingOut since 0s: Revision bbb is on 0 of 3 nodes; available on 3.")
	blocked := "False RolloutBlocked since 2s: No Pod is replaced before the API server would accept a new one. It said: exceeded quota: q"
	writes := s.writes
	for range 3 {
		s.p.Daemon.StalledWhy = fleet.Reason{Code: fleet.CallBackoff, Detail: "exceeded quota: q"}
		s.after(time.Second)
		s.says(enough, blocked)
		s.p.Daemon.StalledWhy = fleet.Reason{Code: fleet.CallInFlight}
		s.after(time.Second)
		s.says(enough, blocked)
	}
	if s.writes != writes+1 {
		t.Errorf("%d writes for one refusal that lasts", s.writes-writes)
	}
	s.waits("n1", "BudgetUsed")
	s.after(time.Second)
	s.says(enough, "True RollingOut since 8s: Revision bbb is on 0 of 3 nodes; available on 3.")
}

func TestOnDeleteWaitsForTheUserAndAllowsNoNodeToBeWithout(t *testing.T) {
	s := rolling(t, 3)
	s.p.Budget = plan.Budget{Strategy: appsv1.OnDeleteDaemonSetStrategyType}
	s.counts(3, 1, 3)
	s.after(0)
	s.says("True MinimumNodesAvailable since 0s: Available on 3 of 3 nodes; needed: 3 (strategy OnDelete allows none to be without).",
		"False UpdateOnDelete since 0s: 2 nodes have an older revision, and strategy OnDelete leaves the update to you: delete a Pod to update its node.")
	s.counts(3, 2, 2)
	s.after(time.Minute)
	s.says("False MinimumNodesUnavailable since 1m0s: Available on 2 of 3 nodes; needed: 3 (strategy OnDelete allows none to be without).",
		"False UpdateOnDelete since 0s: 1 node has an older revision, and strategy OnDelete leaves the update to you: delete a Pod to update its node.")
	s.counts(3, 3, 2)
	s.after(time.Minute)
	s.says("False MinimumNodesUnavailable since 1m0s: Available on 2 of 3 nodes; needed: 3 (strategy OnDelete allows none to be without).",
		"True RollingOut since 2m0s: Revision aaa is on 3 of 3 nodes; available on 2.")
}

func TestADaemonThatIsAvailableNowhereIsNotAvailable(t *testing.T) {
	s := rolling(t, 2)
	s.p.Budget.MaxUnavailable = 2
	s.after(0)
	s.says("False MinimumNodesUnavailable since 0s: Available on 0 of 2 nodes; needed: 1 (maxUnavailable is 2).",
		"True RollingOut since 0s: Revision aaa is on 0 of 2 nodes; available on 0.")
	s.p.Counts = plan.Counts{}
	s.after(0)
	s.says("True MinimumNodesAvailable since 0s: Available on 0 of 0 nodes; needed: 0 (maxUnavailable is 2).",
		"True RolloutComplete since 0s: Revision aaa is rolled out.")
}

func TestWithoutARevisionNoConditionIsMade(t *testing.T) {
	s := rolling(t, 2)
	s.p.Hash = ""
	if c := Status(s.p, s.progress, slices.Values(s.p.Waits), s.now).Conditions; len(c) != 0 {
		t.Errorf("conditions %v", c)
	}
	if due := s.progress.After(s.p, s.now).Due(s.p, s.now); !due.IsZero() {
		t.Errorf("due at %v", due)
	}
}

func TestAMessageAloneIsNotWritten(t *testing.T) {
	s := rolling(t, 3)
	s.counts(3, 3, 3)
	s.after(0)
	other := *s.p.Daemon.Object.Status.DeepCopy()
	other.Conditions[0].Message = "other"
	if Differs(s.p.Daemon.Object.Status, other) {
		t.Error("another message is worth a write")
	}
	other.Conditions[0].Reason = "Other"
	if !Differs(s.p.Daemon.Object.Status, other) {
		t.Error("another reason is not worth a write")
	}
}

func TestAMergeKeepsWhatOthersWroteAndTheTimeOfTheTransition(t *testing.T) {
	s := rolling(t, 3)
	s.counts(3, 3, 3)
	s.after(0)
	fresh := *s.p.Daemon.Object.Status.DeepCopy()
	fresh.Conditions = slices.Insert(fresh.Conditions, 0, appsv1.DaemonSetCondition{Type: "StatusUpdate", Status: "True", Reason: "E2E"})
	s.counts(3, 3, 1)
	s.progress = s.progress.After(s.p, t0.Add(time.Hour))
	merged := Merge(fresh, Status(s.p, s.progress, noWaits, t0.Add(time.Hour)))
	var got []string
	for _, c := range merged.Conditions {
		got = append(got, fmt.Sprintf("%s %s %s %s", c.Type, c.Status, c.Reason, c.LastTransitionTime.Sub(t0)))
	}
	want := []string{
		"StatusUpdate True E2E " + time.Time{}.Sub(t0).String(),
		"Available False MinimumNodesUnavailable 1h0m0s",
		"Progressing True RolloutComplete 0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("merged\n  %q, want\n  %q", got, want)
	}
	// Whoever replaces the list as a whole, as a merge patch does, gets both conditions beside their own.
	fresh.Conditions = fresh.Conditions[:1]
	if merged = Merge(fresh, merged); len(merged.Conditions) != 3 || merged.Conditions[0].Type != "StatusUpdate" {
		t.Errorf("after a patch: %v", merged.Conditions)
	}
}
