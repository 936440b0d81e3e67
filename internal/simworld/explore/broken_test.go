package explore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// edited gives the planner with its actions changed.
func edited(edit func(in plan.Input, leader uint8, p *plan.Plan)) Planner {
	return func(in plan.Input, leader uint8) (plan.Plan, error) {
		p, err := plan.Compute(in)
		edit(in, leader, &p)
		return p, err
	}
}

// misled gives the planner, asked about another DaemonSet than there is.
func misled(change func(*appsv1.DaemonSet)) Planner {
	return func(in plan.Input, _ uint8) (plan.Plan, error) {
		in.Daemon.Object = in.Daemon.Object.DeepCopy()
		change(in.Daemon.Object)
		return plan.Compute(in)
	}
}

// forgetful drops what is marked on a slot before the planner sees it.
func forgetful(forget func(*fleet.Slot), rename bool) Planner {
	return func(in plan.Input, leader uint8) (plan.Plan, error) {
		known := map[string]int{}
		for _, s := range in.Daemon.Slots() {
			known[s.NodeName] = len(s.Pods)
			for in.Daemon.Creates(s.NodeName).UnderWay > 0 {
				in.Daemon.CreateAnswered(s.NodeName, "", now, now)
			}
			forget(s)
		}
		p, err := plan.Compute(in)
		for i := range p.Actions {
			if a := &p.Actions[i]; rename && a.Kind == plan.Create {
				a.Name = fmt.Sprintf("random-%d-%d", leader, known[a.Node])
			}
		}
		return p, err
	}
}

func dropCreating(s *fleet.Slot) {
	s.Pods = slices.DeleteFunc(s.Pods, func(p *fleet.Pod) bool { return p.Creating })
}

// faulty are planners with one mistake each, where it shows, and how many sentences tell it.
var faulty = []struct {
	name    string
	scope   Scope
	planner Planner
	want    string
	longest int
}{
	{
		"deletes without a guard",
		Scope{MaxUnavailable: 1, Empty: true, Faults: Faults{Changes: 1}},
		edited(func(_ plan.Input, _ uint8, p *plan.Plan) {
			for i := range p.Actions {
				p.Actions[i].Guarded = false
			}
		}),
		"lack an available Pod because of the leader", 16,
	},
	{
		"a budget that is one too large",
		Scope{MaxUnavailable: 1, Faults: Faults{Changes: 1}},
		misled(func(ds *appsv1.DaemonSet) {
			two := intstr.FromInt32(2)
			ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = &two
		}),
		"2 nodes lack an available Pod because of the leader; 1 may", 5,
	},
	{
		"a surge that is one too large",
		Scope{MaxSurge: 1, Faults: Faults{Changes: 1}},
		misled(func(ds *appsv1.DaemonSet) {
			two := intstr.FromInt32(2)
			ds.Spec.UpdateStrategy.RollingUpdate.MaxSurge = &two
		}),
		"surges where it knows 0; 1 may be", 3,
	},
	{
		"random names, when a leader dies",
		Scope{MaxUnavailable: 1, Empty: true, Faults: Faults{Crashes: 1}},
		edited(func(_ plan.Input, leader uint8, p *plan.Plan) {
			for i := range p.Actions {
				p.Actions[i].Name = fmt.Sprintf("random-%d", leader)
			}
		}),
		"2 live Pods", 5,
	},
	{
		"random names, and creates in flight are forgotten",
		Scope{MaxUnavailable: 1, Empty: true},
		forgetful(dropCreating, true), "2 live Pods", 4,
	},
	{
		"the old Pod goes before the new one is available",
		Scope{MaxSurge: 1, Faults: Faults{Changes: 1}},
		edited(func(in plan.Input, _ uint8, p *plan.Plan) {
			for _, s := range in.Daemon.Slots() {
				if len(s.Pods) == 2 && s.Pods[0].Ready && !s.Pods[0].Deleting && !s.Pods[1].Ready {
					p.Actions = append(p.Actions, plan.Action{Kind: plan.Delete, Node: s.NodeName, Pod: s.Pods[0], Guarded: true})
				}
			}
		}),
		"lets an available Pod go", 6,
	},
	{
		"OnDelete is not heeded",
		Scope{OnDelete: true, Faults: Faults{Changes: 1}},
		misled(func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.Type = appsv1.RollingUpdateDaemonSetStrategyType }),
		"at rest the plan is not empty", 2,
	},
	{
		"failed Pods are left where they are",
		Scope{MaxUnavailable: 1, Faults: Faults{Failures: 1}},
		edited(func(_ plan.Input, _ uint8, p *plan.Plan) {
			p.Actions = slices.DeleteFunc(p.Actions, func(a plan.Action) bool { return a.Reason.Code == fleet.PodFailed })
		}),
		"no path without further faults leads to rest", 1,
	},
	{
		"a create too many when all is well",
		Scope{MaxUnavailable: 1},
		edited(func(_ plan.Input, _ uint8, p *plan.Plan) {
			if len(p.Actions) == 0 {
				p.Actions = append(p.Actions, plan.Action{Kind: plan.Create, Node: "n1", Name: "more"})
			}
		}),
		"at rest the plan is not empty", 0,
	},
}

// TestSeesMistakes gives the explorer planners with a mistake. It has to find each, and tell it in few sentences.
func TestSeesMistakes(t *testing.T) {
	for _, x := range faulty {
		t.Run(x.name, func(t *testing.T) {
			x.scope.Name, x.scope.Nodes, x.scope.Lag, x.scope.Planner = x.name, 3, 2, x.planner
			r := run(t, x.scope)
			story := strings.Join(r.Story, "\n")
			if !strings.Contains(r.Broken, x.want) {
				t.Errorf("found %q, want %q\n%s", r.Broken, x.want, story)
			}
			if n := len(r.Story) - 1; n > x.longest { // the last line shows where it ends
				t.Errorf("the story has %d sentences, want at most %d\n%s", n, x.longest, story)
			}
			t.Logf("%s\n%s", r.Broken, story)
		})
	}
}

// TestNamesMakeUpForForgottenCreates shows what the derived names are for: a leader that forgets what it has sent meets the
// API server's AlreadyExists.
func TestNamesMakeUpForForgottenCreates(t *testing.T) {
	c := Scope{Name: "creates in flight are forgotten", Nodes: 1, Lag: 2, MaxUnavailable: 1, Empty: true, Faults: Faults{Changes: 1}, Planner: forgetful(dropCreating, false)}
	if r := run(t, c); r.Broken != "" || !r.Whole {
		t.Errorf("%s, whole %v\n%s", r.Broken, r.Whole, strings.Join(r.Story, "\n"))
	}
}

// TestSeesWhatItCannotModel wants an error, not a result, where a planner leaves the small world.
func TestSeesWhatItCannotModel(t *testing.T) {
	c := Scope{Name: "dry run", Nodes: 1, MaxUnavailable: 1}
	c.Planner = edited(func(_ plan.Input, _ uint8, p *plan.Plan) {
		p.Actions = append(p.Actions, plan.Action{Kind: plan.DryRun, Node: "n0"})
	})
	if _, err := Run(c); err == nil || !strings.Contains(err.Error(), "the plan wants to dry-run, which is not modelled") {
		t.Errorf("a dry run gives the error %v", err)
	}
	moody := 0
	c.Planner = func(plan.Input, uint8) (plan.Plan, error) {
		moody++
		return plan.Plan{Actions: []plan.Action{{Kind: plan.Create, Node: "n0", Name: fmt.Sprint("mood", moody)}}}, nil
	}
	if _, err := Run(c); err == nil || !strings.Contains(err.Error(), "two plans from the same facts differ") {
		t.Errorf("a planner with moods gives the error %v", err)
	}
	c.Planner = func(plan.Input, uint8) (plan.Plan, error) { return plan.Plan{}, errors.New("no mood at all") }
	if _, err := Run(c); err == nil || err.Error() != "no mood at all" {
		t.Errorf("a planner without mood gives the error %v", err)
	}
}
