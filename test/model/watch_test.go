package model

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// patience is how long the real server may take for what it does in the background.
const patience = 30 * time.Second

// moment is one state of both sides, by the versions of their lists.
type moment struct{ real, model map[apimodel.Kind]string }

// moment compares the lists of all kinds, and remembers their versions.
func (r *run) moment() {
	m := moment{map[apimodel.Kind]string{}, map[apimodel.Kind]string{}}
	for _, k := range apimodel.Kinds {
		a, version, err := r.r.List(r.ctx, k)
		if err != nil {
			r.t.Fatal(err)
		}
		b, ours, err := r.m.List(r.ctx, k)
		if err != nil {
			r.t.Fatal(err)
		}
		r.sameList("list of "+string(k), a, b)
		m.real[k], m.model[k] = version, ours
	}
	r.moments = append(r.moments, m)
}

// compareLists lists what was in the past.
func (r *run) compareLists() {
	for range 2 {
		i := r.dice.IntN(len(r.moments))
		m := r.moments[i]
		for _, k := range apimodel.Kinds {
			a, err := r.r.At(r.ctx, k, m.real[k])
			if err != nil {
				r.t.Fatal(err)
			}
			b, err := r.m.At(r.ctx, k, m.model[k])
			if err != nil {
				r.t.Fatal(err)
			}
			r.sameList(fmt.Sprintf("list of %s at moment %d", k, i), a, b)
		}
	}
}

// sameList compares two lists. Both are in the order of the names, which those that were generated do not share.
func (r *run) sameList(what string, a, b []metav1.Object) {
	r.lists++
	r.objects += len(a)
	sorted := func(l []metav1.Object) bool {
		return slices.IsSortedFunc(l, func(x, y metav1.Object) int { return strings.Compare(x.GetName(), y.GetName()) })
	}
	if len(a) != len(b) || !sorted(a) || !sorted(b) {
		r.differ("%s: real %d objects (sorted %v), model %d (sorted %v)", what, len(a), sorted(a), len(b), sorted(b))
		return
	}
	for _, x := range a {
		name := r.twins.here("name", x.GetName())
		i := slices.IndexFunc(b, func(y metav1.Object) bool { return y.GetName() == name })
		if i < 0 {
			r.differ("%s: the model has no %s", what, name)
			continue
		}
		for _, d := range r.twins.compare(x, b[i]) {
			r.differ("%s: %s: %s", what, name, d)
		}
	}
}

// compareEvents watches each kind from the first moment and from another, up to an object that is made now.
func (r *run) compareEvents() {
	delete(r.m.s.Closing, r.namespace)
	for _, k := range apimodel.Kinds {
		if r.closed && k != apimodel.Nodes {
			r.eventsSince(k, r.moments[0], len(r.changes(k, r.moments[0])))
			continue
		}
		r.step(r.sentinel(k))
		for _, m := range []moment{r.moments[0], r.moments[r.dice.IntN(len(r.moments))]} {
			r.eventsSince(k, m, len(r.changes(k, m)))
		}
	}
}

func (r *run) changes(k apimodel.Kind, m moment) []apimodel.Change {
	v, err := strconv.ParseUint(m.model[k], 10, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.m.s.After(k, v)
}

// sentinel makes the last object of a kind, so that its event tells that all others have come.
func (r *run) sentinel(k apimodel.Kind) op {
	o := slot{k, "zz-last"}
	if k == apimodel.Nodes {
		o.name = r.namespace + "-zz-last"
	}
	return op{text: "create the last of " + string(k), on: o, do: func(s *side) (metav1.Object, error) {
		switch k {
		case apimodel.Nodes:
			return s.CreateNode(r.ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: o.name}})
		case apimodel.Pods:
			return s.CreatePod(r.ctx, plainPod(r.namespace, o.name), metav1.CreateOptions{})
		case apimodel.DaemonSets:
			return s.CreateDaemonSet(r.ctx, daemonSet(r.namespace, o.name))
		default:
			return s.CreateRevision(r.ctx, revision(r.namespace, o.name, 1))
		}
	}}
}

// eventsSince reads as many events as the model has, and compares them one by one.
func (r *run) eventsSince(k apimodel.Kind, m moment, n int) {
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	w, err := r.r.watch(ctx, k, metav1.ListOptions{ResourceVersion: m.real[k], AllowWatchBookmarks: true})
	if err != nil {
		r.t.Fatal(err)
	}
	defer w.Stop()
	changes := r.changes(k, m)
	for i := 0; i < n; {
		e, ok := <-w.ResultChan()
		if !ok {
			r.differ("watch of %s: real ends after %d events, model has %d: next %s %s", k, i, n, changes[i].Type, changes[i].New.GetName())
			return
		}
		o, isObject := e.Object.(metav1.Object)
		if e.Type == watch.Bookmark || (isObject && !r.r.ours(o)) {
			continue
		}
		if !isObject {
			r.t.Fatalf("watch of %s: %s: %v", k, e.Type, apierrors.FromObject(e.Object))
		}
		r.events++
		c := changes[i]
		i++
		var differences []string
		if e.Type != c.Type {
			differences = append(differences, fmt.Sprintf("real %s, model %s", e.Type, c.Type))
		}
		differences = append(differences, r.twins.compare(o, c.New)...)
		for _, d := range differences {
			r.differ("watch of %s: event %d of %d, %s %s: %s", k, i, n, e.Type, r.twins.here("name", o.GetName()), d)
		}
		if len(differences) > 0 {
			return
		}
	}
}

// until waits for what the real server does in the background.
func (r *run) until(done func() bool) {
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not within %v", patience)
		}
	}
}

func daemonSet(namespace, name string) *appsv1.DaemonSet {
	labels := map[string]string{"app": name}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"set": name}},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: plainPod(namespace, name).Spec},
		},
	}
}
