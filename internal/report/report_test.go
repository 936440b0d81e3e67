package report

import (
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

func planned(generation, observed int64) plan.Plan {
	return plan.Plan{
		Daemon: &fleet.Daemon{Object: &appsv1.DaemonSet{
			ObjectMeta: metav1.ObjectMeta{Generation: generation},
			Status: appsv1.DaemonSetStatus{
				ObservedGeneration: observed,
				Conditions:         []appsv1.DaemonSetCondition{{Type: "Foreign", Status: corev1.ConditionTrue}},
			},
		}},
		Counts: plan.Counts{Desired: 5, Current: 4, Misscheduled: 1, Ready: 3, Available: 2, Updated: 1},
	}
}

func TestStatusHasTheCountsAndKeepsWhatOthersWrote(t *testing.T) {
	s := Status(planned(3, 2), Progress{}, noWaits, t0)
	if s.DesiredNumberScheduled != 5 || s.CurrentNumberScheduled != 4 || s.NumberMisscheduled != 1 || s.NumberReady != 3 ||
		s.NumberAvailable != 2 || s.NumberUnavailable != 3 || s.UpdatedNumberScheduled != 1 || s.ObservedGeneration != 3 {
		t.Errorf("status = %+v", s)
	}
	if len(s.Conditions) != 1 {
		t.Error("a foreign condition is lost")
	}
	if again := Status(planned(3, 7), Progress{}, noWaits, t0); again.ObservedGeneration != 7 {
		t.Errorf("the observed generation fell to %d", again.ObservedGeneration)
	}
}

func TestOnlyNumbersAndARaisedGenerationAreWorthAWrite(t *testing.T) {
	s := Status(planned(3, 2), Progress{}, noWaits, t0)
	same := *s.DeepCopy()
	same.Conditions = nil
	if Differs(s, same) {
		t.Error("conditions alone cause a write")
	}
	same.ObservedGeneration--
	if !Differs(same, s) || Differs(s, same) {
		t.Error("a generation counts when it rises, and only then")
	}
	same.ObservedGeneration++
	same.NumberReady++
	if !Differs(s, same) {
		t.Error("another number of ready nodes causes no write")
	}
}

func TestLargeStepsAreOneEvent(t *testing.T) {
	for want, names := range map[string][]string{
		"Created pod: a":                           {"a"},
		"Created 2 pods: a, b":                     {"a", "b"},
		"Created 7 pods: a, b, c, d, e and 2 more": {"a", "b", "c", "d", "e", "f", "g"},
	} {
		if e := Created(names); e.Message != want || e.Reason != SuccessfulCreate {
			t.Errorf("%s: %q, want %q", e.Reason, e.Message, want)
		}
	}
}

func TestARolloutThatStandsStillNamesWhomItWaitsFor(t *testing.T) {
	p := planned(3, 3)
	p.Budget = plan.Budget{MaxUnavailable: 1, Used: 1}
	p.Waits = []plan.Wait{
		{Node: "n0", Reason: fleet.Reason{Code: fleet.MinReady}},
		{Node: "n1", Reason: fleet.Reason{Code: fleet.PodNotReady}},
	}
	p.Waiting = map[fleet.Code]int{fleet.PodNotReady: 1, fleet.MinReady: 1, fleet.BudgetUsed: 1}
	want := "1 node waits for its update: maxUnavailable 1 is used up by 1 node: n1: the new Pod is not ready"
	if e := Stall(p, slices.Values(p.Waits)); !Stalled(p) || e.Message != want {
		t.Errorf("%v %q", Stalled(p), e.Message)
	}
	p.Waiting = map[fleet.Code]int{fleet.MinReady: 1, fleet.BudgetUsed: 1}
	if Stalled(p) {
		t.Error("a Pod within minReadySeconds counts as standstill")
	}
	p.Waiting[fleet.PodNotReady], p.Due = 1, 1
	if Stalled(p) {
		t.Error("a rollout that acts counts as standstill")
	}
}

func TestARefusalSaysWhatItMeans(t *testing.T) {
	no := errors.New("exceeded quota: q")
	for reason, a := range map[string]plan.Action{
		FailedCreate:   {Kind: plan.Create, Node: "n1"},
		FailedDelete:   {Kind: plan.Delete, Node: "n1"},
		RolloutBlocked: {Kind: plan.DryRun, Node: "n1"},
		FailedHistory:  {Kind: plan.Revise},
		FailedAdopt:    {Kind: plan.Adopt, Pod: &fleet.Pod{Name: "p", Shape: &fleet.Shape{Namespace: "default"}}},
	} {
		if e := Refused(a, no); e.Reason != reason || e.Type != corev1.EventTypeWarning || !strings.Contains(e.Message, "exceeded quota: q") {
			t.Errorf("%v: %+v", a.Kind, e)
		}
	}
}
