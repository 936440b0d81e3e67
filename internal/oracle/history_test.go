package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

// TestHistory compares what becomes of random histories: which revisions there are, with which number, hash, owner and bytes, and
// which hash each Pod wears (U185–U199).
func TestHistory(t *testing.T) {
	scale(t, 1)
	u := newUpstream(t)
	numbers, cover := map[int]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := pasts.Draw(t, "past")
		ours, kinds, err := settleOurs(p.world())
		if err != nil {
			t.Fatal(err)
		}
		theirs := u.settle(t, p.world())
		diff, used := ours.against(theirs), []int{0}
		if edited := p.clone(); diff != "" {
			if used = edited.explain(); len(used) > 0 {
				diff = ours.against(u.settle(t, edited.world()).unedit(edited, p))
			}
		}
		if diff != "" {
			t.Fatalf("%s\n%v", diff, p)
		}
		for _, n := range used {
			numbers[n]++
		}
		for kind := range kinds {
			cover[kind]++
		}
	})
	t.Logf("explained by number of docs/differences.md (0: equal as they are): %s", table(numbers))
	t.Logf("histories with: %s", table(cover))
	for _, kind := range []revision.Kind{revision.Release, revision.Adopt, revision.Label, revision.Renumber, revision.Delete, revision.Create} {
		if cover[string(kind)] < 20 {
			t.Errorf("only %d histories needed %s", cover[string(kind)], kind)
		}
	}
}

// kept is the end of a history: one line for each revision and Pod, by name.
type kept map[string]string

func (s *server) kept() kept {
	out := kept{"collisions": fmt.Sprint(*orZeroCount(s.ds.Status.CollisionCount))}
	for name, r := range s.revisions {
		owner := "nobody"
		if ref := metav1.GetControllerOfNoCopy(r); ref != nil {
			owner = string(ref.UID)
		}
		out[name] = fmt.Sprintf("number %d, hash %s, of %s, %s", r.Revision, r.Labels[hashLabel], owner, r.Data.Raw)
	}
	for name, l := range s.labels {
		out["pod "+name] = l[hashLabel]
	}
	return out
}

func orZeroCount(n *int32) *int32 {
	if n == nil {
		return new(int32)
	}
	return n
}

func (k kept) against(o kept) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(k)) {
		if k[name] != o[name] {
			out = append(out, fmt.Sprintf("%s: ours %q, upstream's %q", name, k[name], o[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if _, ok := k[name]; !ok {
			out = append(out, fmt.Sprintf("%s: upstream's alone, %q", name, o[name]))
		}
	}
	return strings.Join(out, "\n")
}

// rounds are enough for a collision, an adoption, a new number and a trim one after another.
const rounds = 8

// settle lets upstream sync until it changes nothing more. A name that is taken is an error, and the next sync's matter.
func (u *upstream) settle(t *rapid.T, w *world) kept {
	u.load(w)
	before := u.server.kept()
	for range rounds {
		keep := *u.server
		u.load(keep.world(w))
		u.rest(epoch, nil)
		u.calls.reset()
		err := u.sync(u.ctx, w.key())
		after := u.server.kept()
		if len(after.against(before)) == 0 && err == nil {
			return after
		}
		before = after
	}
	t.Fatalf("upstream's history does not settle: %v", before)
	return nil
}

// world is what the stores hold once the watches have told what was written.
func (s *server) world(w *world) *world {
	out := &world{ds: s.ds}
	for _, name := range slices.Sorted(maps.Keys(s.revisions)) {
		out.revisions = append(out.revisions, s.revisions[name])
	}
	for _, p := range w.pods {
		p = p.DeepCopy()
		p.Labels = s.labels[p.Name]
		out.pods = append(out.pods, p)
	}
	return out
}

// settleOurs carries our own plans out likewise. It also tells which kinds of change there were.
func settleOurs(w *world) (kept, map[string]bool, error) {
	s, kinds := &server{}, map[string]bool{}
	s.load(w)
	for range rounds {
		now := s.world(w)
		_, d := facts(&scene{pods: make([]scenePod, len(now.pods))}, now)
		p, err := plan.Compute(plan.Input{Daemon: d, Revisions: claimable(now), Now: epoch, Placement: plan.Scheduler})
		if err != nil {
			return nil, nil, err
		}
		done := 0
		for _, a := range p.Actions {
			switch a.Kind {
			case plan.Revise:
				kinds[string(a.Revision.Kind)] = true
				s.revise(a.Revision)
			case plan.Relabel:
				s.setLabels(a.Pod.Name, map[string]string{hashLabel: a.Hash})
			default:
				continue
			}
			done++
		}
		if done == 0 {
			return s.kept(), kinds, nil
		}
	}
	return nil, nil, fmt.Errorf("our history does not settle: %v", s.kept())
}

// claimable are the revisions that the feed hands on: the DaemonSet's, and orphans that its selector matches.
func claimable(w *world) []*appsv1.ControllerRevision {
	var out []*appsv1.ControllerRevision
	for _, r := range w.revisions {
		ref := metav1.GetControllerOfNoCopy(r)
		if (ref == nil && r.Labels["app"] == "d") || (ref != nil && ref.UID == w.ds.UID) {
			out = append(out, r)
		}
	}
	return out
}

// revise writes one change, as act does.
func (s *server) revise(c revision.Change) {
	switch c.Kind {
	case revision.Create:
		if s.create(c.Revision) != nil && revision.Collide(s.ds, s.revisions[c.Revision.Name], c.Revision) == revision.Collision {
			ds := s.ds.DeepCopy()
			n := *orZeroCount(ds.Status.CollisionCount) + 1
			ds.Status.CollisionCount, s.ds = &n, ds
		}
	case revision.Delete:
		delete(s.revisions, c.Revision.Name)
	default:
		s.revisions[c.Revision.Name] = c.Revision
	}
}
