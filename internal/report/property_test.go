package report

import (
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"pgregory.net/rapid"
)

// Whatever two statuses say: a number that differs, or a generation that was seen since, is worth a write; and a write brings each number, and
// never takes the observed generation back.
func TestEveryNumberIsWritten(t *testing.T) {
	status := rapid.Custom(func(t *rapid.T) appsv1.DaemonSetStatus {
		s := appsv1.DaemonSetStatus{ObservedGeneration: rapid.Int64Range(0, 3).Draw(t, "generation")}
		for _, n := range numbers(&s) {
			n.SetInt(int64(rapid.Int32Range(0, 2).Draw(t, "number")))
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := status.Draw(t, "a"), status.Draw(t, "b")
		want := b.ObservedGeneration > a.ObservedGeneration
		for i, n := range numbers(&a) {
			want = want || n.Int() != numbers(&b)[i].Int()
		}
		if Differs(a, b) != want {
			t.Fatalf("%+v and %+v: a write is worth it: %v, want %v", a, b, !want, want)
		}
		for i := range numbers(&a) { // one alone
			other := a
			n := numbers(&other)[i]
			n.SetInt(n.Int() + rapid.SampledFrom([]int64{-1, 1}).Draw(t, "by"))
			if !Differs(a, other) {
				t.Fatalf("%+v is not worth a write over %+v", other, a)
			}
		}
		merged := Merge(a, b)
		if merged.ObservedGeneration < max(a.ObservedGeneration, b.ObservedGeneration) {
			t.Fatalf("generations %d and %d were seen, and %d is written", a.ObservedGeneration, b.ObservedGeneration, merged.ObservedGeneration)
		}
		for i, n := range numbers(&merged) {
			if n.Int() != numbers(&b)[i].Int() {
				t.Fatalf("number %d of %+v over %+v is %d", i, b, a, n.Int())
			}
		}
	})
}

// numbers are all counts of a status, also those that a later API adds.
func numbers(s *appsv1.DaemonSetStatus) (out []reflect.Value) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Int32 {
			out = append(out, v.Field(i))
		}
	}
	return out
}
