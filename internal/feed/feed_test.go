package feed

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/everynode/everynode/internal/fleet"
)

type always struct{}

func (always) Verdict(*fleet.Node) fleet.Verdict { return fleet.Verdict{Decision: fleet.Run} }

var target = func(s *corev1.PodSpec) (string, bool) { return s.Hostname, true }

// box makes a mailbox whose events come out in order.
func box(t *testing.T, kind Kind, m mailbox) (*mailbox, func() Event) {
	out := make(chan Event, 16)
	m.ctx, m.kind, m.out = t.Context(), kind, out
	return &m, func() Event { return <-out }
}

func object(name, rv string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID("uid-" + name), ResourceVersion: rv}
}

func TestObjectsBecomeFactsInOrder(t *testing.T) {
	f := fleet.New(func(*appsv1.DaemonSet) fleet.Judge { return always{} })
	m, next := box(t, Pods, podMailbox(target))
	pod := &corev1.Pod{ObjectMeta: object("p", "5"), Spec: corev1.PodSpec{Hostname: "n7"}}
	for _, err := range []error{m.Add(pod), m.Update(&corev1.Pod{ObjectMeta: object("p", "6"), Spec: corev1.PodSpec{NodeName: "n1"}})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	next().Apply(f, time.Now())
	if p := f.Pod(types.NamespacedName{Namespace: "default", Name: "p"}); p.Target != "n7" || p.Version != 5 {
		t.Errorf("after add: %+v", p)
	}
	next().Apply(f, time.Now())
	if p := f.Pod(types.NamespacedName{Namespace: "default", Name: "p"}); p.Node != "n1" || p.Version != 6 {
		t.Errorf("after update: %+v", p)
	}
	if err := m.Delete(&corev1.Pod{ObjectMeta: object("p", "7")}); err != nil {
		t.Fatal(err)
	}
	next().Apply(f, time.Now())
	if p := f.Pod(types.NamespacedName{Namespace: "default", Name: "p"}); p != nil {
		t.Errorf("after delete: %+v", p)
	}
}

func TestAFreshListDropsWhatWasDeletedUnseen(t *testing.T) {
	f := fleet.New(func(*appsv1.DaemonSet) fleet.Judge { return always{} })
	m, next := box(t, Nodes, nodeMailbox())
	for _, err := range []error{
		m.Replace([]any{&corev1.Node{ObjectMeta: object("n1", "1")}, &corev1.Node{ObjectMeta: object("n2", "2")}}, "2"),
		m.Replace([]any{&corev1.Node{ObjectMeta: object("n2", "2")}}, "9"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		e := next()
		if !e.Synced {
			t.Error("a list does not count as complete")
		}
		e.Apply(f, time.Now())
	}
	if f.Node("n1") != nil || f.Node("n2") == nil {
		t.Errorf("n1 %v, n2 %v", f.Node("n1"), f.Node("n2"))
	}
}

func TestABadResourceVersionNamesTheObject(t *testing.T) {
	m, _ := box(t, Pods, podMailbox(target))
	var told error
	m.onError = func(_ Kind, err error) { told = err }
	err := m.Add(&corev1.Pod{ObjectMeta: object("p", "opaque-7")})
	if err == nil || told != err || !strings.Contains(err.Error(), `pods default/p: resourceVersion "opaque-7"`) {
		t.Errorf("error %v, told %v", err, told)
	}
}

func TestRevisionsOfStatefulSetsAreLeftOut(t *testing.T) {
	f := fleet.New(func(*appsv1.DaemonSet) fleet.Judge { return always{} })
	m, next := box(t, Revisions, revisionMailbox())
	yes := true
	other := &appsv1.ControllerRevision{ObjectMeta: object("r1", "1")}
	other.OwnerReferences = []metav1.OwnerReference{{Kind: "StatefulSet", Controller: &yes}}
	mine := &appsv1.ControllerRevision{ObjectMeta: object("r2", "2")}
	mine.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Controller: &yes}}
	if err := m.Replace([]any{other, mine}, "3"); err != nil {
		t.Fatal(err)
	}
	next().Apply(f, time.Now())
	if _, _, _, n := f.Sizes(); n != 1 {
		t.Errorf("%d revisions are kept, want 1", n)
	}
}

func TestEveryKindSyncsAndAForbiddenOneSaysWhatToDo(t *testing.T) {
	client := fake.NewClientset(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", ResourceVersion: "1"}})
	client.PrependReactor("list", "controllerrevisions", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "controllerrevisions"}, "", nil)
	})
	client.PrependReactor("list", "*", func(a clienttesting.Action) (bool, runtime.Object, error) { return false, nil, nil })
	ctx, cancel := context.WithCancel(t.Context())
	out, errs := make(chan Event, 16), make(chan error, 16)
	var once sync.Once
	done := make(chan struct{})
	go func() {
		Run(ctx, versioned{client}, Options{Target: target, OnError: func(k Kind, err error) {
			if k == Revisions {
				once.Do(func() { errs <- err })
			}
		}}, out)
		close(done)
	}()
	if err := <-errs; !strings.Contains(err.Error(), "ClusterRole needs list and watch") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	cancel()
	<-done
}

// versioned is the fake client; its lists have no resourceVersion, which a real server's have.
type versioned struct{ *fake.Clientset }
