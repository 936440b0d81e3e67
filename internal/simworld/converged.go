package simworld

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/engine"
	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
)

// healed notes where the writes of the recovery begin.
func (s *sound) healed() {
	s.writesBefore = s.w.Stats.Writes
	s.writesAllowed = 40 + 8*len(s.w.nodes())*s.w.Setup.Daemons + 3*len(s.w.pods()) + 4*len(s.w.revisions())
}

// converged checks that the cluster is what the spec says (I10, I11, I16, I17) and that the controller's facts are those of
// a fresh read (I24).
func (s *sound) converged() {
	w := s.w
	n := w.Stats.Writes - s.writesBefore
	w.holds(Bounded, n <= s.writesAllowed, func() string { return fmt.Sprintf("%d writes to come to rest, allowed are %d", n, s.writesAllowed) })
	sets := w.sets()
	w.holds(Convergence, len(sets) == w.Setup.Daemons, func() string { return fmt.Sprintf("%d DaemonSets", len(sets)) })
	for _, ds := range sets {
		want := appsv1.DaemonSetStatus{ObservedGeneration: ds.Generation}
		for _, n := range w.nodes() {
			s.slot(ds, n, &want)
		}
		want.NumberUnavailable = want.DesiredNumberScheduled - want.NumberAvailable
		got := ds.Status
		want.CollisionCount, want.Conditions = got.CollisionCount, got.Conditions
		w.holds(StatusTruth, apiEqual(got, want), func() string { return fmt.Sprintf("%s says %+v, true is %+v", ds.Name, got, want) })
		s.settled(ds)
		s.history(ds)
	}
	for _, r := range w.replicas {
		if r.alive {
			s.sameFacts(r)
		}
	}
}

// settled checks the conditions at rest (I11): the daemon is available, and its rollout complete or left to the user.
func (s *sound) settled(ds *appsv1.DaemonSet) {
	want := "Available=True/" + report.MinimumNodesAvailable + " Progressing=True/" + report.RolloutComplete
	if st := ds.Status; ds.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType && st.UpdatedNumberScheduled < st.CurrentNumberScheduled {
		want = "Available=True/" + report.MinimumNodesAvailable + " Progressing=False/" + string(fleet.UpdateOnDelete)
	}
	var got []string
	for _, c := range ds.Status.Conditions {
		if slices.Contains(report.ConditionTypes, c.Type) {
			got = append(got, fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason))
		}
	}
	slices.Sort(got)
	s.w.holds(StatusTruth, strings.Join(got, " ") == want, func() string { return fmt.Sprintf("%s says %v, true is %s", ds.Name, ds.Status.Conditions, want) })
}

// slot checks one node and counts it.
func (s *sound) slot(ds *appsv1.DaemonSet, n *corev1.Node, count *appsv1.DaemonSetStatus) {
	start, stay := may(ds, n)
	var here []*corev1.Pod
	for _, p := range s.w.pods() {
		if metav1.IsControlledBy(p, ds) && nodeOf(p) == n.Name {
			here = append(here, p)
		}
	}
	updated := len(here) == 1 && here[0].Spec.Containers[0].Image == ds.Spec.Template.Spec.Containers[0].Image
	ok := len(here) == 0
	switch {
	case start:
		ok = len(here) == 1 && isReady(here[0]) && live(here[0])
		if ds.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType {
			ok = ok && updated
		}
	case stay:
		ok = len(here) <= 1
	}
	s.w.holds(Convergence, ok, func() string {
		return fmt.Sprintf("%s on %s (may start %v, may stay %v) has %s", ds.Name, n.Name, start, stay, describe(here))
	})
	if !start {
		count.NumberMisscheduled += int32(min(1, len(here)))
		return
	}
	count.DesiredNumberScheduled++
	if len(here) == 0 {
		return
	}
	count.CurrentNumberScheduled++
	if isReady(here[0]) {
		count.NumberReady++
		count.NumberAvailable++
	}
	if s.current(ds, here[0]) {
		count.UpdatedNumberScheduled++
	}
}

// current tells whether a Pod has the hash of the revision that holds the template.
func (s *sound) current(ds *appsv1.DaemonSet, p *corev1.Pod) bool {
	for _, r := range s.w.revisions() {
		if s.holdsTemplate(ds, r) && metav1.IsControlledBy(r, ds) {
			return hashOf(p) == r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] ||
				(p.Labels["pod-template-generation"] == ds.Annotations[appsv1.DeprecatedTemplateGeneration] && !p.CreationTimestamp.Before(&ds.CreationTimestamp))
		}
	}
	return false
}

func (s *sound) holdsTemplate(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) bool {
	data, err := revision.Data(&ds.Spec.Template)
	return err == nil && string(data) == string(r.Data.Raw)
}

// history checks the revisions at rest (I10).
func (s *sound) history(ds *appsv1.DaemonSet) {
	holders, old, newest := 0, 0, int64(0)
	var current *appsv1.ControllerRevision
	used := map[string]bool{}
	for _, p := range s.w.pods() {
		if metav1.IsControlledBy(p, ds) {
			used[hashOf(p)] = true
		}
	}
	for _, r := range s.w.revisions() {
		if !metav1.IsControlledBy(r, ds) {
			continue
		}
		newest = max(newest, r.Revision)
		switch {
		case s.holdsTemplate(ds, r):
			holders, current = holders+1, r
		case !used[r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]]:
			old++
		}
	}
	s.w.holds(History, holders == 1 && current.Revision == newest && old <= int(*ds.Spec.RevisionHistoryLimit), func() string {
		return fmt.Sprintf("%s: %d revisions hold the template, newest is %d, %d old ones are kept: %s", ds.Name, holders, newest, old, s.revisionsText())
	})
}

func (s *sound) revisionsText() string {
	var out []string
	for _, r := range s.w.revisions() {
		out = append(out, fmt.Sprintf("%s=%d owner %v", r.Name, r.Revision, metav1.GetControllerOf(r)))
	}
	return strings.Join(out, ", ")
}

// sameFacts compares what a controller has kept by difference with what a new one would read (I24).
func (s *sound) sameFacts(r *Replica) {
	w := s.w
	if !r.pilot.Synced() {
		return
	}
	fresh := engine.NewPilot(engine.NewCore(w.Setup.Placement, r.say, observer{r}))
	for _, kind := range feed.Kinds {
		store := feed.NewStore(kind, feedOptions(w), func(e feed.Event) { fresh.Take(e, w.now) })
		x := &watcher{r: r, kind: apiKind(kind)}
		var items []any
		for _, o := range w.all(x.kind) {
			items = append(items, x.item(o))
		}
		if err := store.Replace(items, fmt.Sprint(w.API.Version())); err != nil {
			panic(err)
		}
	}
	for _, d := range fresh.Fleet.Daemons() {
		mine := r.pilot.Fleet.Daemon(d.Key)
		a, b := s.planOf(fresh, d.Key.Name), s.planOf(r.pilot, d.Key.Name)
		w.holds(IncrementFull, mine != nil && a == b, func() string { return fmt.Sprintf("read afresh\n%s\nkept by difference\n%s", a, b) })
	}
	w.holds(IncrementFull, len(r.flights) > 0 || r.pilot.Idle(), func() string { return r.name + " has no call under way, and waits for answers" })
	an, ad, ap, ar := fresh.Fleet.Sizes()
	bn, bd, bp, br := r.pilot.Fleet.Sizes()
	w.holds(IncrementFull, slices.Equal([]int{an, ad, ap, ar}, []int{bn, bd, bp, br}), func() string {
		return fmt.Sprintf("there are %d nodes, %d DaemonSets, %d Pods, %d revisions; known are %d, %d, %d, %d", an, ad, ap, ar, bn, bd, bp, br)
	})
}

// planOf is what would be decided a minute from now: who reads afresh cannot know for how long a Pod has been Ready if the
// kubelet's clock is ahead.
func (s *sound) planOf(p *engine.Pilot, name string) string {
	for _, d := range p.Fleet.Daemons() {
		if d.Key.Name != name {
			continue
		}
		got, err := plan.Compute(plan.Input{Daemon: d, Revisions: p.Fleet.Revisions(d), Orphans: p.Fleet.Orphans(d), Now: s.w.now.Add(time.Minute), Placement: s.w.Setup.Placement})
		if err != nil {
			return err.Error()
		}
		got.Next = s.w.now
		return planText(got)
	}
	return "unknown"
}

func describe(pods []*corev1.Pod) string {
	out := fmt.Sprintf("%d Pods:", len(pods))
	for _, p := range pods {
		out += fmt.Sprintf(" %s (%s, %s, ready %v, ending %v)", p.Name, p.Status.Phase, p.Spec.Containers[0].Image, isReady(p), p.DeletionTimestamp != nil)
	}
	return out
}
