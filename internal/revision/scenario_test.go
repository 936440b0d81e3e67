package revision

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
)

// TestScenarios runs the scripts of testdata/scenarios:
//
//	daemonset [uid= generation= created= collisions= limit= deleting clear]
//	    its Pod spec in YAML, or the one before; clear forgets all revisions
//	revision NAME number= [owner=uid|none generation=n|none created= hash=h|none app= namespace= of=uid deleting]
//	    a ControllerRevision of the Pod spec in YAML (none: the DaemonSet's), or of the data after "data:"
//	reconcile [hint= write]     the History; write applies its Changes
//	trim used=(hash, ...)       what the history limit takes
//	collide NAME                what Collide says of it
//	history                     the revisions as they are stored
//
// reconcile is made for each order of its input, and checked to modify nothing. Times are in seconds.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		w := &world{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "daemonset":
				w.daemonSet(t, d)
			case "revision":
				w.revision(t, d)
			case "reconcile":
				return w.reconcile(t, d)
			case "trim":
				return w.trim(t, d)
			case "collide":
				wanted, err := New(w.ds, 9)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				return Collide(w.ds, w.find(d.CmdArgs[0].Key), wanted).String() + "\n"
			case "history":
				return w.history()
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return ""
		})
	})
}

func (w *world) find(name string) *appsv1.ControllerRevision {
	i := slices.IndexFunc(w.list, func(r *appsv1.ControllerRevision) bool { return r.Name == name })
	return w.list[i]
}

func (w *world) reconcile(t *testing.T, d *datadriven.TestData) string {
	var hint string
	if d.HasArg("hint") {
		d.ScanArgs(t, "hint", &hint)
	}
	dsBefore, before := w.ds.DeepCopy(), slices.Clone(w.list)
	for i, r := range w.list {
		before[i] = r.DeepCopy()
	}
	h, err := Reconcile(w.ds, w.list, hint)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	out := show(h)
	reversed := slices.Clone(w.list)
	slices.Reverse(reversed)
	for range reversed {
		reversed = append(reversed[1:], reversed[0])
		again, err := Reconcile(w.ds, reversed, hint)
		if diff := cmp.Diff(out, show(again)); err != nil || diff != "" {
			d.Fatalf(t, "another order, another result: %v %s", err, diff)
		}
	}
	if diff := cmp.Diff(before, w.list) + cmp.Diff(dsBefore, w.ds); diff != "" {
		d.Fatalf(t, "input modified: %s", diff)
	}
	if d.HasArg("write") {
		w.write(h)
	}
	return out
}

func (w *world) write(h History) {
	for _, c := range h.Changes {
		i := slices.IndexFunc(w.list, func(r *appsv1.ControllerRevision) bool { return r.Name == c.Revision.Name })
		switch c.Kind {
		case Create:
			c.Revision.CreationTimestamp = w.ds.CreationTimestamp
			w.list = append(w.list, c.Revision)
		case Delete:
			w.list = slices.Delete(w.list, i, i+1)
		default:
			w.list[i] = c.Revision
		}
	}
}

func (w *world) trim(t *testing.T, d *datadriven.TestData) string {
	used := map[string]bool{}
	for _, arg := range d.CmdArgs {
		for _, hash := range arg.Vals {
			used[hash] = true
		}
	}
	h, err := Reconcile(w.ds, w.list, "")
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return "takes " + strings.Join(names(Trim(w.ds, h.Old, used)), " ") + "\n"
}
