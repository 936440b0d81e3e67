package report

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// TestToolsJudgeADaemonSetAsWithoutTheConditions asks kstatus, which Flux, Helm and kpt use, about each state of a DaemonSet
// with and without the conditions.
func TestToolsJudgeADaemonSetAsWithoutTheConditions(t *testing.T) {
	onDelete := plan.Budget{Strategy: appsv1.OnDeleteDaemonSetStrategyType}
	rollingUpdate := plan.Budget{Strategy: appsv1.RollingUpdateDaemonSetStrategyType, MaxUnavailable: 1}
	for name, c := range map[string]struct {
		counts   plan.Counts
		budget   plan.Budget
		code     fleet.Code
		observed int64
		deleted  bool
		after    time.Duration
		verdict  kstatus.Status
		says     string
	}{
		"complete":          {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3, Updated: 3}, rollingUpdate, "", 2, false, 0, kstatus.CurrentStatus, "Available True, Progressing True RolloutComplete"},
		"no node":           {plan.Counts{}, rollingUpdate, "", 2, false, 0, kstatus.CurrentStatus, "Available True, Progressing True RolloutComplete"},
		"new":               {plan.Counts{Desired: 3}, rollingUpdate, "", 2, false, 0, kstatus.InProgressStatus, "Available False, Progressing True RollingOut"},
		"old Pods":          {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3, Updated: 1}, rollingUpdate, "", 2, false, 0, kstatus.InProgressStatus, "Available True, Progressing True RollingOut"},
		"stalled":           {plan.Counts{Desired: 3, Current: 3, Ready: 2, Available: 2, Updated: 1}, rollingUpdate, fleet.PodNotReady, 2, false, time.Hour, kstatus.InProgressStatus, "Available True, Progressing False PodNotReady"},
		"blocked":           {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3}, rollingUpdate, fleet.DryRunFirst, 2, false, 0, kstatus.InProgressStatus, "Available True, Progressing False RolloutBlocked"},
		"no room":           {plan.Counts{Desired: 3, Current: 1, Ready: 1, Available: 1, Updated: 1}, rollingUpdate, fleet.NoRoom, 2, false, time.Hour, kstatus.InProgressStatus, "Available False, Progressing False NoRoom"},
		"on delete":         {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3, Updated: 1}, onDelete, fleet.UpdateOnDelete, 2, false, 0, kstatus.InProgressStatus, "Available True, Progressing False UpdateOnDelete"},
		"on delete, all":    {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3, Updated: 3}, onDelete, "", 2, false, 0, kstatus.CurrentStatus, "Available True, Progressing True RolloutComplete"},
		"not yet observed":  {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3, Updated: 3}, rollingUpdate, "", 1, false, 0, kstatus.InProgressStatus, "Available True, Progressing True RolloutComplete"},
		"on its way out":    {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 3, Updated: 3}, rollingUpdate, "", 2, true, 0, kstatus.TerminatingStatus, "Available True, Progressing True RolloutComplete"},
		"within minReady":   {plan.Counts{Desired: 3, Current: 3, Ready: 3, Available: 2, Updated: 3}, rollingUpdate, fleet.MinReady, 2, false, 0, kstatus.InProgressStatus, "Available True, Progressing True RollingOut"},
		"available nowhere": {plan.Counts{Desired: 1, Current: 1, Updated: 1}, rollingUpdate, fleet.PodNotReady, 2, false, 0, kstatus.InProgressStatus, "Available False, Progressing True RollingOut"},
	} {
		t.Run(name, func(t *testing.T) {
			ds := &appsv1.DaemonSet{
				TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"},
				ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "d", Generation: 2},
			}
			p := plan.Plan{Hash: "aaa", Daemon: &fleet.Daemon{Object: ds}, Counts: c.counts, Budget: c.budget}
			if c.code != "" {
				p.Waits, p.Waiting = []plan.Wait{{Node: "n1", Reason: fleet.Reason{Code: c.code}}}, map[fleet.Code]int{c.code: 1}
				p.Daemon.StalledWhy = fleet.Reason{Code: fleet.CallBackoff, Detail: "no"}
			}
			g := Progress{}.After(p, t0)
			ds.Status = Status(p, g, slices.Values(p.Waits), t0.Add(c.after))
			ds.Status.ObservedGeneration = c.observed
			if c.deleted {
				ds.DeletionTimestamp = &metav1.Time{Time: t0}
			}
			if got := short(ds.Status); got != c.says {
				t.Fatalf("conditions are %s, want %s", got, c.says)
			}
			with := verdict(t, ds)
			ds.Status.Conditions = nil
			without := verdict(t, ds)
			if with.Status != c.verdict || with.Status != without.Status || with.Message != without.Message {
				t.Errorf("with the conditions %s (%s), without %s (%s), want %s", with.Status, with.Message, without.Status, without.Message, c.verdict)
			}
		})
	}
}

func verdict(t *testing.T, ds *appsv1.DaemonSet) *kstatus.Result {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(ds)
	if err != nil {
		t.Fatal(err)
	}
	r, err := kstatus.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func short(s appsv1.DaemonSetStatus) string {
	a, p := condition(s, Available), condition(s, Progressing)
	return fmt.Sprintf("Available %s, Progressing %s %s", a.Status, p.Status, p.Reason)
}

// TestNoConditionIsOneThatToolsTakeForTheirOwn: kstatus and Argo CD judge a DaemonSet by its numbers. kstatus takes these types
// for a verdict on any object; Argo CD's rule for DaemonSets reads none.
func TestNoConditionIsOneThatToolsTakeForTheirOwn(t *testing.T) {
	for _, own := range ConditionTypes {
		for _, taken := range []string{string(kstatus.ConditionReconciling), string(kstatus.ConditionStalled), "Ready"} {
			if string(own) == taken {
				t.Errorf("%s would be taken for a verdict", own)
			}
		}
	}
	// Such a condition does change the verdict, or the comparison above would compare nothing.
	ds := &appsv1.DaemonSet{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"}, ObjectMeta: metav1.ObjectMeta{Name: "d", Generation: 1}}
	ds.Status.ObservedGeneration = 1
	ds.Status.Conditions = []appsv1.DaemonSetCondition{{Type: "Stalled", Status: corev1.ConditionTrue}}
	if got := verdict(t, ds); got.Status != kstatus.FailedStatus {
		t.Errorf("kstatus says %s of a DaemonSet with Stalled", got.Status)
	}
}

// health is Argo CD's built-in rule for apps/v1 DaemonSets, as its gitops engine has it: it reads generations, the strategy
// and three numbers.
func health(ds *appsv1.DaemonSet) string {
	s := ds.Status
	switch {
	case ds.Generation > s.ObservedGeneration:
		return "Progressing"
	case ds.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType:
		return "Healthy"
	case s.UpdatedNumberScheduled < s.DesiredNumberScheduled || s.NumberAvailable < s.DesiredNumberScheduled:
		return "Progressing"
	}
	return "Healthy"
}

// TestCompletionIsWhatArgoCDCallsHealthy holds the two words together at the moment in which a rollout completes.
func TestCompletionIsWhatArgoCDCallsHealthy(t *testing.T) {
	s := rolling(t, 3)
	for _, step := range []struct {
		current, updated, available int32
		health                      string
	}{{0, 0, 0, "Progressing"}, {3, 3, 0, "Progressing"}, {3, 3, 2, "Progressing"}, {3, 3, 3, "Healthy"}} {
		s.counts(step.current, step.updated, step.available)
		s.after(time.Second)
		ds := s.p.Daemon.Object
		done := condition(ds.Status, Progressing).Reason == RolloutComplete
		if got := health(ds); got != step.health || done != (got == "Healthy") {
			t.Errorf("%+v: Argo CD says %s, want %s; complete: %v", step, got, step.health, done)
		}
	}
}
