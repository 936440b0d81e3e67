package revision

import (
	"flag"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

var images = rapid.SampledFrom([]string{"v1", "v2", "v3"})

func daemonSet(image string, generation int) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{
		Name: "d", Namespace: "ns", UID: "u1", CreationTimestamp: seconds(10),
		Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: strconv.Itoa(generation)},
	}}
	ds.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "d"}}
	ds.Spec.Template.Labels = map[string]string{"app": "d"}
	ds.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: image}}
	return ds
}

// revisions may be anybody's, of any template, and lack anything.
var revisions = rapid.Custom(func(t *rapid.T) *appsv1.ControllerRevision {
	r, err := New(daemonSet(images.Draw(t, "image"), rapid.IntRange(1, 3).Draw(t, "generation")), rapid.Int64Range(0, 4).Draw(t, "number"))
	if err != nil {
		t.Fatal(err)
	}
	r.Name = rapid.StringMatching("[a-f]").Draw(t, "name")
	r.UID = types.UID(r.Name)
	r.CreationTimestamp = seconds(rapid.SampledFrom([]int64{5, 10, 15}).Draw(t, "created"))
	switch rapid.IntRange(0, 5).Draw(t, "owner") {
	case 0:
		r.OwnerReferences = nil
	case 1:
		r.OwnerReferences[0].UID = "u9"
	}
	switch rapid.IntRange(0, 5).Draw(t, "labels") {
	case 0:
		delete(r.Labels, appsv1.DefaultDaemonSetUniqueLabelKey)
	case 1:
		r.Labels["app"] = "other"
	}
	if rapid.IntRange(0, 9).Draw(t, "deleting") == 0 {
		now := seconds(99)
		r.DeletionTimestamp = &now
	}
	return r
})

func TestReconcileSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{ds: daemonSet(images.Draw(t, "image"), rapid.IntRange(1, 3).Draw(t, "generation"))}
		w.list = rapid.SliceOfNDistinct(revisions, 0, 6, func(r *appsv1.ControllerRevision) string { return r.Name }).Draw(t, "revisions")
		hint := rapid.OneOf(rapid.Just(""), rapid.Just(Hash(&daemonSet("v1", 1).Spec.Template, nil))).Draw(t, "hint")
		var h History
		for round := 0; ; round++ {
			before := slices.Clone(w.list)
			for i, r := range w.list {
				before[i] = r.DeepCopy()
			}
			var err error
			if h, err = Reconcile(w.ds, w.list, hint); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, w.list); diff != "" {
				t.Fatalf("input modified: %s", diff)
			}
			checkChanges(t, w, h)
			if len(h.Changes) == 0 {
				break
			}
			if round == 2 {
				t.Fatalf("not settled after three rounds: %s", show(h))
			}
			w.write(h)
		}
		checkSettled(t, w, h)
	})
}

// checkChanges holds one History to: at most one write for each revision, none to others', and orphans are adopted first.
func checkChanges(t *rapid.T, w *world, h History) {
	seen := map[string]bool{}
	for _, c := range h.Changes {
		if seen[c.Revision.Name] {
			t.Fatalf("two writes to %s: %s", c.Revision.Name, show(h))
		}
		seen[c.Revision.Name] = true
		i := slices.IndexFunc(w.list, func(r *appsv1.ControllerRevision) bool { return r.Name == c.Revision.Name })
		if c.Kind == Create {
			continue
		}
		owner := metav1.GetControllerOfNoCopy(w.list[i])
		if owned := owner != nil && owner.UID == w.ds.UID; owned == (c.Kind == Adopt) || (owner != nil && !owned) {
			t.Fatalf("%s of %s, owner %v", c.Kind, c.Revision.Name, owner)
		}
		if w.list[i].Data.Raw != nil && !slices.Equal(c.Revision.Data.Raw, w.list[i].Data.Raw) {
			t.Fatalf("%s changes the data of %s", c.Kind, c.Revision.Name)
		}
	}
}

// checkSettled holds the final History to: there is a current revision, it is the newest, has its hash, and stands alone.
func checkSettled(t *rapid.T, w *world, h History) {
	if h.Current == nil || HashOf(h.Current) != h.Hash || h.Hash == "" {
		t.Fatalf("no current revision: %s", show(h))
	}
	for _, old := range h.Old {
		if old.Revision >= h.Current.Revision || HashOf(old) == "" {
			t.Fatalf("%s is not older than %s", old.Name, h.Current.Name)
		}
	}
	if generation, ok := provenGeneration(w.ds, h.Current); !ok || strconv.FormatInt(generation, 10) < w.ds.Annotations[appsv1.DeprecatedTemplateGeneration] {
		t.Fatalf("%s has not got the template generation", h.Current.Name)
	}
	// A later default changes nothing: the generation proves that the template is the same (D7).
	now, _ := templateGeneration(w.ds.Annotations)
	if proven, ok := provenGeneration(w.ds, h.Current); !ok || proven < now {
		t.Fatalf("%s has not got the template generation", h.Current.Name)
	} else if proven > now || h.Current.DeletionTimestamp != nil {
		return
	}
	shown := w.ds.DeepCopy()
	shown.Spec.Template.Spec.DNSPolicy = corev1.DNSClusterFirst
	again, err := Reconcile(shown, w.list, "")
	if err != nil || again.Hash != h.Hash || slices.ContainsFunc(again.Changes, func(c Change) bool { return c.Kind == Create }) {
		t.Fatalf("a new default gives %v, %s instead of %s", err, show(again), show(h))
	}
}

// TestMain asks for more than rapid's hundred checks; -rapid.checks on the command line still wins.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "300"); err != nil {
		panic(err)
	}
	m.Run()
}

// Whatever there is: what is cut off the history is worn by no Pod and older than all that stays and could have gone, and no more goes than
// has to.
func TestTheYoungestStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := daemonSet("v1", 1)
		limit := rapid.Int32Range(0, 4).Draw(t, "limit")
		ds.Spec.RevisionHistoryLimit = &limit
		list := rapid.SliceOfNDistinct(revisions, 0, 8, func(r *appsv1.ControllerRevision) string { return r.Name }).Draw(t, "revisions")
		used, free, there := map[string]bool{}, 0, 0
		for i, r := range list {
			r.Revision = int64(i + 1)
			if rapid.Bool().Draw(t, "worn") {
				used[hashOrName(r)] = true
			}
		}
		for _, r := range list {
			if r.DeletionTimestamp != nil {
				continue
			}
			there++
			if !used[hashOrName(r)] {
				free++
			}
		}
		out := Trim(ds, rapid.Permutation(list).Draw(t, "order"), used)
		if want := min(free, max(0, there-int(limit))); len(out) != want {
			t.Fatalf("%d of %d go, %d of them worn by no Pod, limit %d; want %d", len(out), there, free, limit, want)
		}
		for _, gone := range out {
			if used[hashOrName(gone)] || gone.DeletionTimestamp != nil {
				t.Fatalf("%s goes, worn %v, deleted %v", gone.Name, used[hashOrName(gone)], gone.DeletionTimestamp)
			}
			for _, r := range list {
				if stays := !slices.Contains(out, r); stays && r.DeletionTimestamp == nil && !used[hashOrName(r)] && r.Revision < gone.Revision {
					t.Fatalf("%s of revision %d goes, and %s of revision %d stays", gone.Name, gone.Revision, r.Name, r.Revision)
				}
			}
		}
	})
}
