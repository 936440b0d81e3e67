package fleet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
)

func TestStampsKeepMicroseconds(t *testing.T) {
	for _, moment := range []time.Time{
		{}, time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC), time.Date(2026, 11, 26, 3, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC),
	} {
		if got := StampOf(moment).Time(); !got.Equal(moment) {
			t.Errorf("%v came back as %v", moment, got)
		}
	}
	if early, late := StampOf(time.Unix(1, 0)), StampOf(time.Unix(2, 0)); early >= late {
		t.Errorf("%d is not before %d", early, late)
	}
}

func TestPhasesAreThoseOfTheAPI(t *testing.T) {
	for _, phase := range []corev1.PodPhase{"", corev1.PodPending, corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown} {
		if got := PhaseOf(phase); got.API() != phase || got.String() != string(phase) {
			t.Errorf("%q came back as %q", phase, got)
		}
	}
	if got := PhaseOf("Dreaming"); got != PhaseUnknown {
		t.Errorf("a phase that nobody knows is %q", got)
	}
}

// Whatever comes and goes, in whatever order: each index has exactly the Pods that are there, each once.
func TestIndexesHoldWhatCameAndHasNotGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names, owned, near := index{byName: map[string]map[string]*Pod{}}, herd{}, crowd{}
		there := map[string]*Pod{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			p := &Pod{Name: rapid.StringMatching("[a-e]").Draw(t, "name"), Shape: &Shape{Namespace: rapid.StringMatching("[xy]").Draw(t, "namespace")}}
			key := p.Key().String()
			if q := there[key]; q != nil {
				names.drop(q)
				owned.remove(q)
				near.remove(q)
				delete(there, key)
				continue
			}
			names.put(p)
			owned.add(p)
			near.add(p)
			there[key] = p
		}
		found := map[*Pod]int{}
		for p := range names.all {
			found[p]++
		}
		for _, list := range [][]*Pod{owned, near} {
			for _, p := range list {
				found[p]++
			}
		}
		if len(found) != len(there) || names.size != len(there) {
			t.Fatalf("%d Pods are found, the size is %d, and %d are there", len(found), names.size, len(there))
		}
		for key, p := range there {
			if found[p] != 3 || names.get(p.Namespace, p.Name) != p {
				t.Fatalf("%s is found %d times, want 3", key, found[p])
			}
		}
	})
}
