package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// twins are names for the same thing on both sides: a UID, a version, a generated name.
type twins struct{ forth, back map[string]string }

func newTwins() *twins { return &twins{forth: map[string]string{}, back: map[string]string{}} }

// pair tells whether a and b stand for the same; where neither has been met, they do from now on.
func (t *twins) pair(what, a, b string) bool {
	a, b = what+" "+a, what+" "+b
	x, met := t.forth[a]
	y, meet := t.back[b]
	if !met && !meet {
		t.forth[a], t.back[b] = b, a
		return true
	}
	return x == b && y == a
}

// here gives the model's word for a real one.
func (t *twins) here(what, a string) string {
	if b, ok := t.forth[what+" "+a]; ok {
		return strings.TrimPrefix(b, what+" ")
	}
	return a
}

// clocks may be this much apart, the time of a slow request included.
const clocks = 5 * time.Second

// compare gives what differs between a real object and the model's.
func (t *twins) compare(a, b metav1.Object) (differences []string) {
	if a == nil || b == nil {
		return nil // a delete, whose answer nobody reads
	}
	a, b = leftOut(a), leftOut(b)
	differ := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	for _, p := range []struct{ what, a, b string }{
		{"uid", string(a.GetUID()), string(b.GetUID())},
		{"version", a.GetResourceVersion(), b.GetResourceVersion()},
		{"name", a.GetName(), b.GetName()},
	} {
		if (p.a == "") != (p.b == "") || !t.pair(p.what, p.a, p.b) {
			differ("%s: real %q, which the model calls %q; model %q", p.what, p.a, t.here(p.what, p.a), p.b)
		}
	}
	if x, y := a.GetDeletionTimestamp(), b.GetDeletionTimestamp(); (x == nil) != (y == nil) || (x != nil && x.Sub(y.Time).Abs() > clocks) {
		differ("deletionTimestamp: real %v, model %v", x, y)
	}
	if x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp(); x.Sub(y.Time).Abs() > clocks {
		differ("creationTimestamp: real %v, model %v", x, y)
	}
	refs := slices.Clone(a.GetOwnerReferences())
	for i := range refs {
		refs[i].UID = types.UID(t.here("uid", string(refs[i].UID)))
	}
	a.SetOwnerReferences(refs)
	for _, o := range []metav1.Object{a, b} {
		o.SetUID("")
		o.SetName("")
		o.SetResourceVersion("")
		o.SetDeletionTimestamp(nil)
		o.SetCreationTimestamp(metav1.Time{})
	}
	walk("", fields(a), fields(b), differ)
	return differences
}

// leftOut gives a copy without what the model leaves out on purpose (its doc.go).
func leftOut(o metav1.Object) metav1.Object {
	o = o.(runtime.Object).DeepCopyObject().(metav1.Object)
	o.(runtime.Object).GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	o.SetManagedFields(nil)
	if p, ok := o.(*corev1.Pod); ok {
		p.Status.QOSClass = ""
		p.Status.Conditions = slices.DeleteFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodScheduled })
	}
	return o
}

func fields(o any) any {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // it came as JSON
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		panic(err)
	}
	return v
}

// walk names the fields that differ.
func walk(path string, a, b any, differ func(format string, args ...any)) {
	x, isMap := a.(map[string]any)
	y, areMaps := b.(map[string]any)
	if isMap && areMaps {
		keys := map[string]bool{}
		for k := range x {
			keys[k] = true
		}
		for k := range y {
			keys[k] = true
		}
		for k := range keys {
			walk(path+"."+k, x[k], y[k], differ)
		}
		return
	}
	if p, q := text(a), text(b); p != q {
		differ("%s: real %s, model %s", strings.TrimPrefix(path, "."), p, q)
	}
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// refusal is what act reads of an error.
type refusal struct {
	code   int32
	reason metav1.StatusReason
	retry  int32
	causes string
	quota  bool
}

func refusalOf(err error) (refusal, bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return refusal{}, err == nil
	}
	s := status.Status()
	r := refusal{code: s.Code, reason: s.Reason, quota: strings.Contains(s.Message, "exceeded quota")}
	if s.Details != nil {
		r.retry = s.Details.RetryAfterSeconds
		for _, c := range s.Details.Causes {
			if !strings.HasPrefix(string(c.Type), "Field") { // those are the words of validation
				r.causes += string(c.Type) + " " + c.Field + ";"
			}
		}
	}
	return r, true
}
