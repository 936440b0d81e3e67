package revision

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

type world struct {
	ds   *appsv1.DaemonSet
	list []*appsv1.ControllerRevision
}

func seconds(n int64) metav1.Time { return metav1.Time{Time: time.Unix(n, 0)} }

func (w *world) daemonSet(t *testing.T, d *datadriven.TestData) {
	if d.Input != "" || w.ds == nil {
		w.ds = &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: "ns", UID: "u1", Annotations: map[string]string{}}}
		w.ds.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "d"}}
		w.ds.Spec.Template.Labels = map[string]string{"app": "d"}
		if err := yaml.UnmarshalStrict([]byte(d.Input), &w.ds.Spec.Template.Spec); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	for _, arg := range d.CmdArgs {
		var number int
		switch arg.Key {
		case "uid":
			w.ds.UID = types.UID(arg.Vals[0])
		case "generation":
			w.ds.Annotations[appsv1.DeprecatedTemplateGeneration] = arg.Vals[0]
		case "created":
			arg.Scan(t, 0, &number)
			w.ds.CreationTimestamp = seconds(int64(number))
		case "collisions":
			arg.Scan(t, 0, &number)
			w.ds.Status.CollisionCount = ptr.To(int32(number))
		case "limit":
			arg.Scan(t, 0, &number)
			w.ds.Spec.RevisionHistoryLimit = ptr.To(int32(number))
		case "deleting":
			now := seconds(99)
			w.ds.DeletionTimestamp = &now
		case "clear":
			w.list = nil
		default:
			d.Fatalf(t, "unknown argument %s", arg.Key)
		}
	}
}

func (w *world) revision(t *testing.T, d *datadriven.TestData) {
	of := w.ds.DeepCopy()
	raw, isRaw := strings.CutPrefix(d.Input, "data:")
	if d.Input != "" && !isRaw {
		of.Spec.Template.Spec = corev1.PodSpec{}
		if err := yaml.UnmarshalStrict([]byte(d.Input), &of.Spec.Template.Spec); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	r, err := New(of, 1)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	r.Name = d.CmdArgs[0].Key
	r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = "hash-" + r.Name
	r.CreationTimestamp = w.ds.CreationTimestamp
	if isRaw {
		r.Data.Raw = []byte(strings.TrimSpace(raw))
	}
	for _, arg := range d.CmdArgs[1:] {
		var number int64
		switch arg.Key {
		case "number":
			arg.Scan(t, 0, &r.Revision)
		case "owner":
			r.OwnerReferences[0].UID = types.UID(arg.Vals[0])
			if arg.Vals[0] == "none" {
				r.OwnerReferences = nil
			}
		case "generation":
			r.Annotations[appsv1.DeprecatedTemplateGeneration] = arg.Vals[0]
			if arg.Vals[0] == "none" {
				delete(r.Annotations, appsv1.DeprecatedTemplateGeneration)
			}
		case "created":
			arg.Scan(t, 0, &number)
			r.CreationTimestamp = seconds(number)
		case "hash":
			r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = arg.Vals[0]
			if arg.Vals[0] == "none" {
				delete(r.Labels, appsv1.DefaultDaemonSetUniqueLabelKey)
			}
		case "app":
			r.Labels["app"] = arg.Vals[0]
		case "namespace":
			r.Namespace = arg.Vals[0]
		case "of":
			r.Annotations[GenerationOf] = arg.Vals[0]
		case "deleting":
			now := seconds(99)
			r.DeletionTimestamp = &now
		default:
			d.Fatalf(t, "unknown argument %s", arg.Key)
		}
	}
	w.list = append(w.list, r)
}

func (w *world) history() string {
	var b strings.Builder
	for _, r := range w.list {
		owner := "nobody"
		if ref := metav1.GetControllerOfNoCopy(r); ref != nil {
			owner = string(ref.UID)
		}
		fmt.Fprintf(&b, "%s: number %d, hash %q, owner %s, generation %q of %q\n", r.Name, r.Revision, HashOf(r), owner,
			r.Annotations[appsv1.DeprecatedTemplateGeneration], r.Annotations[GenerationOf])
	}
	return b.String()
}

func show(h History) string {
	var b strings.Builder
	if h.Current == nil {
		fmt.Fprintf(&b, "no current%s\n", h.Hash)
	} else {
		fmt.Fprintf(&b, "current %s, hash %s: %s\n", h.Current.Name, h.Hash, h.Why)
	}
	if len(h.Old) > 0 {
		fmt.Fprintf(&b, "old %s\n", strings.Join(names(h.Old), " "))
	}
	for _, c := range h.Changes {
		fmt.Fprintf(&b, "%s %s (number %d): %s\n", c.Kind, c.Revision.Name, c.Revision.Revision, c.Reason)
	}
	var moves []string
	for from, to := range h.Relabel {
		moves = append(moves, from+" -> "+to)
	}
	slices.Sort(moves)
	for _, move := range moves {
		fmt.Fprintf(&b, "relabel %s\n", move)
	}
	return b.String()
}

func names(list []*appsv1.ControllerRevision) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.Name)
	}
	return out
}
