package feed

import (
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

type always struct{}

func (always) Verdict(*fleet.Node) fleet.Verdict { return fleet.Verdict{Decision: fleet.Run} }

func empty() *fleet.Fleet { return fleet.New(func(*appsv1.DaemonSet) fleet.Judge { return always{} }) }

// target stands in for match.Target.
var target = func(s *corev1.PodSpec) (string, bool) { return s.Hostname, true }

// open makes a mailbox, what takes events out of it, and what tells of its errors.
func open[O metav1.Object, F any](t *testing.T, kind Kind, r reader[O, F]) (m *mailbox[O, F], next func() Event, errs *[]error) {
	var sent []Event
	errs = &[]error{}
	o := Options{OnError: func(_ Kind, err error) { *errs = append(*errs, err) }}
	next = func() (e Event) {
		if len(sent) == 0 {
			t.Fatal("nothing was sent")
		}
		e, sent = sent[0], sent[1:]
		return e
	}
	t.Cleanup(func() {
		if len(sent) > 0 {
			t.Errorf("%d events more than expected were sent", len(sent))
		}
	})
	return box(kind, r, o, func(e Event) { sent = append(sent, e) }), next, errs
}

func object(name, rv string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID("uid-" + name), ResourceVersion: rv}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestObjectsBecomeFactsInOrder(t *testing.T) {
	f := empty()
	m, next, _ := open(t, Pods, podReader(target))
	key := types.NamespacedName{Namespace: "default", Name: "p"}
	must(t,
		m.Add(&corev1.Pod{ObjectMeta: object("p", "5"), Spec: corev1.PodSpec{Hostname: "n7"}}),
		m.Update(&corev1.Pod{ObjectMeta: object("p", "6"), Spec: corev1.PodSpec{NodeName: "n1"}}),
		m.Delete(&corev1.Pod{ObjectMeta: object("p", "7")}))
	next().Apply(f, time.Now())
	if p := f.Pod(key); p.On != "n7" || p.Bound || p.Version != 5 {
		t.Errorf("after add: %+v", p)
	}
	next().Apply(f, time.Now())
	if p := f.Pod(key); p.Node() != "n1" || p.Version != 6 {
		t.Errorf("after update: %+v", p)
	}
	next().Apply(f, time.Now())
	if p := f.Pod(key); p != nil {
		t.Errorf("after delete: %+v", p)
	}
}

func TestAFreshListDropsWhatWasDeletedUnseen(t *testing.T) {
	f := empty()
	m, next, _ := open(t, DaemonSets, daemonSetReader())
	a, b := &appsv1.DaemonSet{ObjectMeta: object("a", "1")}, &appsv1.DaemonSet{ObjectMeta: object("b", "2")}
	b.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	must(t, m.Replace([]any{a, b}, "2"), m.Replace([]any{b}, "9"))
	for range 2 {
		e := next()
		if !e.Synced || e.Type != "replace" || e.Kind != DaemonSets {
			t.Errorf("a list came out as %+v", e)
		}
		e.Apply(f, time.Now())
	}
	if d := f.Daemon(types.NamespacedName{Namespace: "default", Name: "a"}); d != nil {
		t.Errorf("a was deleted and is still known: %+v", d)
	}
	d := f.Daemon(types.NamespacedName{Namespace: "default", Name: "b"})
	if d == nil || d.Version != 2 || d.Object.ManagedFields != nil {
		t.Errorf("b: %+v", d)
	}
}

func TestAStrangerIsRefused(t *testing.T) {
	m, _, errs := open(t, Pods, podReader(target))
	err := m.Add(&corev1.Node{})
	if len(*errs) != 1 || err == nil || err.Error() != "pods: a *v1.Node came where a *v1.Pod is due" {
		t.Errorf("error %v, told %v", err, *errs)
	}
}

const opaque = `resourceVersion "opaque-7" is no number`

func TestABadResourceVersionNamesTheObject(t *testing.T) {
	m, _, errs := open(t, Pods, podReader(target))
	err := m.Add(&corev1.Pod{ObjectMeta: object("p", "opaque-7")})
	if len(*errs) != 1 || !errors.Is(err, (*errs)[0]) || !strings.Contains(err.Error(), "pods default/p: "+opaque) {
		t.Errorf("error %v, told %v", err, *errs)
	}
}

func TestAListThatCannotBeReadIsRefusedWhole(t *testing.T) {
	m, _, errs := open(t, Nodes, nodeReader())
	good, bad := &corev1.Node{ObjectMeta: object("n1", "1")}, &corev1.Node{ObjectMeta: object("n2", "opaque-7")}
	bad.Namespace = ""
	var streamed []any
	for _, o := range []any{good, bad} {
		l, err := m.Transformer()(o)
		must(t, err)
		streamed = append(streamed, l)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{m.Replace([]any{good, bad}, "3"), "nodes n2: " + opaque},
		{m.Replace(streamed, "3"), "nodes n2: " + opaque},
		{m.Replace([]any{good}, "opaque-7"), "list of nodes: " + opaque},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", c.err, c.want)
		}
	}
	if len(*errs) != 3 {
		t.Errorf("%d errors were told, want 3", len(*errs))
	}
}

func TestAStreamedListHoldsFactsInPlaceOfObjects(t *testing.T) {
	f := empty()
	m, next, _ := open(t, Pods, podReader(target))
	pod := &corev1.Pod{ObjectMeta: object("p", "5"), Spec: corev1.PodSpec{NodeName: "n1"}}
	got, err := m.Transformer()(pod)
	must(t, err)
	l, ok := got.(*letter[*fleet.Pod])
	if !ok || l.GetNamespace() != "default" || l.GetName() != "p" {
		t.Fatalf("the list would keep %T %+v", got, got)
	}
	must(t, m.Replace([]any{l}, "6"))
	next().Apply(f, time.Now())
	if p := f.Pod(types.NamespacedName{Namespace: "default", Name: "p"}); p == nil || p.Node() != "n1" || p.Version != 5 {
		t.Errorf("%+v", p)
	}
}

func owned(name, rv, kind string) *appsv1.ControllerRevision {
	yes := true
	r := &appsv1.ControllerRevision{ObjectMeta: object(name, rv)}
	if kind != "" {
		r.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Controller: &yes}}
	}
	return r
}

func TestRevisionsOfStatefulSetsAreLeftOut(t *testing.T) {
	f := empty()
	m, next, _ := open(t, Revisions, revisionReader())
	known := func() int { _, _, _, n := f.Sizes(); return n }
	must(t, m.Replace([]any{owned("r1", "1", "StatefulSet"), owned("r2", "2", "DaemonSet"), owned("r3", "3", "")}, "3"))
	next().Apply(f, time.Now())
	if known() != 2 {
		t.Errorf("%d revisions are kept, want the DaemonSet's and nobody's", known())
	}
	must(t, m.Add(owned("r4", "4", "StatefulSet")), m.Update(owned("r3", "5", "StatefulSet")), m.Delete(owned("r2", "6", "DaemonSet")))
	for i, want := range []int{2, 1, 0} {
		next().Apply(f, time.Now())
		if known() != want {
			t.Errorf("after change %d: %d revisions, want %d", i, known(), want)
		}
	}
}

// A list or event that is older than what was seen would bring back what is gone, as a server does that lags behind.
func TestThePastIsRefused(t *testing.T) {
	f := empty()
	m, next, errs := open(t, Pods, podReader(target))
	p, q := &corev1.Pod{ObjectMeta: object("p", "5")}, &corev1.Pod{ObjectMeta: object("q", "8")}
	must(t, m.Replace([]any{p}, "5"), m.Delete(&corev1.Pod{ObjectMeta: object("p", "7")}), m.Add(q))
	for range 3 {
		next().Apply(f, time.Now())
	}
	err := m.Replace([]any{p}, "6")
	if err == nil || len(*errs) != 1 || !strings.Contains(err.Error(), "its state at resourceVersion 6, and 8 was seen before") {
		t.Errorf("an old list is answered by %v", err)
	}
	must(t, m.Add(p)) // nothing is sent
	must(t, m.Replace([]any{q}, "8"))
	next().Apply(f, time.Now())
	if _, _, pods, _ := f.Sizes(); pods != 1 {
		t.Errorf("%d Pods are known, want q alone", pods)
	}
}
