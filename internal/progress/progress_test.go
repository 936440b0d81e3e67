package progress

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// pod is one node's Pod: of which revision, Ready or not, how old.
type pod struct {
	hash  string
	ready bool
	age   time.Duration
}

// planOf makes a cluster of one node for each Pod, and a plan; two may be unavailable.
func planOf(t *testing.T, strategy appsv1.DaemonSetUpdateStrategyType, pods ...pod) plan.Plan {
	t.Helper()
	labels := map[string]string{"app": "d"}
	two := intstr.FromInt32(2)
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: "ns", UID: "uid"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: strategy, RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &two}},
		},
	}
	f := fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) })
	f.ApplyDaemon(ds, 1, false, epoch)
	rev, err := revision.New(ds, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pods {
		name := fmt.Sprintf("n%d", i+1)
		f.ApplyNode(&fleet.Node{Name: name, UID: types.UID(name), Version: 1, Ready: true}, epoch)
		if p.hash == "" {
			continue
		}
		if p.hash == "new" {
			p.hash = revision.HashOf(rev)
		}
		f.ApplyPod(&fleet.Pod{
			Name: "d-" + name, UID: types.UID("pod-" + name), Version: 1, On: name, Bound: true, Phase: fleet.PhaseRunning,
			Shape:   &fleet.Shape{Namespace: "ns", Owner: "uid", OwnerKind: fleet.DaemonSetKind, Labels: map[string]string{"app": "d", appsv1.DefaultDaemonSetUniqueLabelKey: p.hash}},
			Created: fleet.StampOf(epoch.Add(-p.age)), Ready: p.ready, ReadyStamp: fleet.StampOf(epoch.Add(-p.age)),
		}, epoch)
	}
	d := f.Daemon(types.NamespacedName{Namespace: "ns", Name: "d"})
	out, err := plan.Compute(plan.Input{Daemon: d, Revisions: []*appsv1.ControllerRevision{rev}, Now: epoch, Placement: plan.Scheduler})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStates(t *testing.T) {
	const rolling, onDelete = appsv1.RollingUpdateDaemonSetStrategyType, appsv1.OnDeleteDaemonSetStrategyType
	fine, old := pod{"new", true, time.Hour}, pod{"old", true, time.Hour}
	coming, broken := pod{"new", false, 5 * time.Second}, pod{"new", false, time.Hour}
	for _, c := range []struct {
		name     string
		strategy appsv1.DaemonSetUpdateStrategyType
		pods     []pod
		rollout  string
		top      string
		sentence string
	}{
		{"all new", rolling, []pod{fine, fine}, "done", "", `daemon set "d" successfully rolled out`},
		{"one missing", rolling, []pod{fine, {}}, "degraded", "", `Waiting for daemon set "d" rollout to finish: 1 out of 2 new pods have been updated...`},
		{"one not ready", rolling, []pod{fine, broken}, "degraded", "PodNotReady on n2", `Waiting for daemon set "d" rollout to finish: 1 of 2 updated pods are available...`},
		{"nothing new yet", rolling, []pod{old, old, old}, "rolling, step 1 of 2", "DryRunFirst on n1 and 2 more", `Waiting for daemon set "d" rollout to finish: 0 out of 3 new pods have been updated...`},
		{"on its way", rolling, []pod{coming, coming, old, old, old}, "rolling, step 2 of 3", "PodNotReady on n1 and 1 more", `Waiting for daemon set "d" rollout to finish: 2 out of 5 new pods have been updated...`},
		{"used up for an hour", rolling, []pod{broken, broken, old}, "halted, step 2 of 2", "PodNotReady on n1 and 1 more", `Waiting for daemon set "d" rollout to finish: 2 out of 3 new pods have been updated...`},
		{"one broken, one place left", rolling, []pod{broken, old, old}, "rolling, step 1 of 2", "PodNotReady on n1", `Waiting for daemon set "d" rollout to finish: 1 out of 3 new pods have been updated...`},
		{"by hand", onDelete, []pod{fine, old, old}, "on-delete, 2 outdated", "", `Waiting for daemon set "d" rollout to finish: 1 out of 3 new pods have been updated...`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Of(planOf(t, c.strategy, c.pods...), epoch)
			if p.Rollout() != c.rollout || p.Top() != c.top || p.Sentence() != c.sentence {
				t.Errorf("got  %q, %q, %q\nwant %q, %q, %q", p.Rollout(), p.Top(), p.Sentence(), c.rollout, c.top, c.sentence)
			}
		})
	}
}
