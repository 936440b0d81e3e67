package fleet

import (
	"strconv"
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
		names, one, owned, near := index{}, table{}, herd{}, crowd{}
		there := map[string]*Pod{}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			p := &Pod{Name: rapid.StringMatching("[a-e]{1,3}").Draw(t, "name"), Shape: &Shape{Namespace: rapid.StringMatching("[xy]").Draw(t, "namespace")}}
			key := p.Key().String()
			sum := hashOf(p.Namespace, p.Name)
			if got, alone := names.get(p.Namespace, p.Name), one.get(sum, p.Namespace, p.Name); got != there[key] || alone != there[key] {
				t.Fatalf("%s is %v among many tables and %v in one, want %v", key, got, alone, there[key])
			}
			if q := there[key]; q != nil {
				names.drop(q)
				one.drop(sum, q)
				owned.remove(q)
				near.remove(q)
				delete(there, key)
				continue
			}
			names.put(p)
			one.put(sum, p)
			owned.add(p)
			near.add(p)
			there[key] = p
		}
		found := map[*Pod]int{}
		for p := range names.all {
			found[p]++
		}
		for _, list := range [][]*Pod{owned, near, one.places} {
			for _, p := range list {
				found[p]++
			}
		}
		delete(found, nil) // free places
		if len(found) != len(there) || names.size != len(there) || one.size != len(there) {
			t.Fatalf("%d Pods are found, the sizes are %d and %d, and %d are there", len(found), names.size, one.size, len(there))
		}
		for key, p := range there {
			if found[p] != 4 || one.get(hashOf(p.Namespace, p.Name), p.Namespace, p.Name) != p || names.get(p.Namespace, p.Name) != p {
				t.Fatalf("%s is found %d times, want 4", key, found[p])
			}
		}
	})
}

// A hundred thousand Pods take a place each and less than as much again; when they have gone, so has what they took.
func TestAnIndexGrowsAndShrinks(t *testing.T) {
	var x index
	places := func() (n int) {
		for i := range x.tables {
			n += len(x.tables[i].places)
		}
		return n
	}
	pods := make([]*Pod, 100_000)
	for i := range pods {
		pods[i] = &Pod{Name: strconv.Itoa(i), Shape: &Shape{Namespace: "n"}}
		x.put(pods[i])
	}
	if n := places(); x.size != len(pods) || 3*n < 4*len(pods) || n > 2*len(pods) {
		t.Errorf("%d Pods take %d places, want %d Pods and 1.33 to 2 places each", x.size, n, len(pods))
	}
	for i, p := range pods {
		if x.get("n", p.Name) != p {
			t.Fatalf("Pod %d is not found", i)
		}
		x.drop(p)
		x.drop(p) // once more changes nothing
		if x.get("n", p.Name) != nil {
			t.Fatalf("Pod %d is found after it has gone", i)
		}
	}
	if n := places(); x.size != 0 || n > 8*len(x.tables) {
		t.Errorf("%d Pods are left in %d places, want none in eight for each table", x.size, n)
	}
}
