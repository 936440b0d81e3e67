package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod(name, daemon, version, node string, ready bool) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{DaemonLabel: daemon, VersionLabel: version}}}
	p.Spec.NodeName = node
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	if ready {
		p.Status.Conditions[0].Status = corev1.ConditionTrue
	}
	return p
}

func TestOneReadyPodOfTheVersionOnEachNodeIsWanted(t *testing.T) {
	good := []corev1.Pod{
		pod("a1", "a", "v2", "n1", true), pod("a2", "a", "v2", "n2", true),
		pod("b1", "b", "v1", "n1", true), pod("b2", "b", "v1", "n2", true),
	}
	for name, c := range map[string]struct {
		pods []corev1.Pod
		want string
	}{
		"all there":     {good, ""},
		"one missing":   {good[:3], "DaemonSet b has no Pod on node n2"},
		"an old one":    {append([]corev1.Pod{pod("a1", "a", "v1", "n1", true)}, good[1:]...), `pod a1 on node n1 is of version "v1", want "v2"`},
		"not Ready":     {append([]corev1.Pod{pod("a1", "a", "v2", "n1", false)}, good[1:]...), "pod a1 on node n1 is not Ready"},
		"two on a node": {append([]corev1.Pod{pod("a9", "a", "v2", "n1", true)}, good...), "two Pods on node n1: a9 and a1"},
		"one elsewhere": {append([]corev1.Pod{pod("a9", "a", "v2", "n9", true)}, good...), "there are 5 Pods, want 4"},
	} {
		t.Run(name, func(t *testing.T) {
			err := verify(c.pods, []string{"n1", "n2"}, map[string]string{"a": "v2", "b": "v1"})
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAStatusHasToBeTrueAndOfThePresentSpec(t *testing.T) {
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: 3}}
	ds.Status = appsv1.DaemonSetStatus{
		ObservedGeneration: 3, DesiredNumberScheduled: 4, NumberMisscheduled: 1, NumberReady: 4, NumberAvailable: 4, UpdatedNumberScheduled: 4,
	}
	want := Claim{Desired: 4, Misscheduled: 1, Ready: 4}
	if err := claims(ds, want); err != nil {
		t.Error(err)
	}
	for field, spoil := range map[string]func(*appsv1.DaemonSetStatus){
		"observedGeneration": func(s *appsv1.DaemonSetStatus) { s.ObservedGeneration-- }, "desiredNumberScheduled": func(s *appsv1.DaemonSetStatus) { s.DesiredNumberScheduled-- },
		"numberMisscheduled": func(s *appsv1.DaemonSetStatus) { s.NumberMisscheduled = 0 }, "numberReady": func(s *appsv1.DaemonSetStatus) { s.NumberReady-- },
		"numberAvailable": func(s *appsv1.DaemonSetStatus) { s.NumberAvailable-- }, "updatedNumberScheduled": func(s *appsv1.DaemonSetStatus) { s.UpdatedNumberScheduled-- },
	} {
		bad := ds.DeepCopy()
		spoil(&bad.Status)
		if err := claims(bad, want); err == nil || !strings.Contains(err.Error(), "DaemonSet a: status."+field) {
			t.Errorf("%s is wrong, and it is said: %v", field, err)
		}
	}
}

func TestWhoWaitsIsToldOnceItIsSo(t *testing.T) {
	m := &Mirror{daemons: map[string]*Daemon{}, nodes: map[string]nodeState{}}
	two := func(v View) bool { return v.Daemon("a").Ready == 2 }
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if at, err := m.Wait(over, two); err == nil || !strings.Contains(err.Error(), "there are 0 Pods") || len(m.waiters) != 0 {
		t.Errorf("with no Pod: %v, %v, %d wait on", at, err, len(m.waiters))
	}
	told := make(chan time.Time)
	go func() {
		at, err := m.Wait(t.Context(), two)
		if err != nil {
			t.Error(err)
		}
		told <- at
	}()
	p, q := pod("p", "a", "v1", "n1", true), pod("q", "a", "v1", "n2", true)
	m.pod(nil, &p)
	before := time.Now()
	m.pod(nil, &q)
	if at := <-told; at.Before(before) {
		t.Errorf("it is so since %v, and was told to be since %v", before, at)
	}
}

func TestTheMirrorCountsByDifference(t *testing.T) {
	m := &Mirror{daemons: map[string]*Daemon{}, nodes: map[string]nodeState{}}
	waiting, ready, old := pod("p", "a", "v1", "n1", false), pod("p", "a", "v1", "n1", true), pod("q", "a", "v0", "n2", true)
	ending := *ready.DeepCopy()
	ending.DeletionTimestamp = &metav1.Time{}
	for i, step := range []struct {
		before, after           *corev1.Pod
		pods, ready, made, flip int
	}{
		{nil, &waiting, 1, 0, 1, 0},
		{&waiting, &ready, 1, 1, 1, 0},
		{nil, &old, 2, 2, 2, 0},
		{&ready, &waiting, 2, 1, 2, 1},
		{&waiting, &ready, 2, 2, 2, 1},
		{&ready, &ending, 2, 1, 2, 1},
		{&ending, nil, 1, 1, 2, 1},
	} {
		m.pod(step.before, step.after)
		if d := m.Look("a"); d.Pods != step.pods || d.Ready != step.ready || d.Made != step.made || d.Flips != step.flip {
			t.Errorf("step %d: %+v, want %+v", i, d, step)
		}
	}
	if d := (View{m}).Daemon("a"); d.ReadyOf["v0"] != 1 || d.ReadyOf["v1"] != 0 || d.NodesReady["n2"] != 1 || d.NodesReady["n1"] != 0 {
		t.Errorf("in the end there is %+v", d)
	}
}
