package act

import (
	"context"
	"errors"
	"strings"
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
	"github.com/everynode/everynode/internal/plan"
)

func daemonSet() *appsv1.DaemonSet {
	l := map[string]string{"app": "d"}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d", UID: "uid-d"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: l},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: l}},
		},
	}
}

func createCall() Call {
	return Call{Daemon: daemonSet(), Hash: "h", Placement: plan.Direct, Action: plan.Action{Kind: plan.Create, Node: "n1", Name: "d-x"}}
}

func deleteCall(guarded bool) Call {
	p := &fleet.Pod{Name: "d-x", UID: "uid-p", Version: 7, Shape: &fleet.Shape{Namespace: "default"}}
	return Call{Daemon: daemonSet(), Action: plan.Action{Kind: plan.Delete, Node: "n1", Pod: p, Guarded: guarded}}
}

// fails makes the next n calls of a verb on Pods fail with err, after carrying them out if done.
func fails(c *fake.Clientset, verb string, n int, err error, done bool) {
	c.PrependReactor(verb, "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if n == 0 {
			return false, nil, nil
		}
		n--
		if create, ok := a.(clienttesting.CreateAction); ok && done {
			if err := c.Tracker().Add(create.GetObject()); err != nil {
				return true, nil, err
			}
		}
		return true, nil, err
	})
}

func count(c *fake.Clientset, verb string) int {
	n := 0
	for _, a := range c.Actions() {
		if a.GetVerb() == verb {
			n++
		}
	}
	return n
}

func TestACreateWhoseAnswerIsLostIsFoundByItsName(t *testing.T) {
	c := fake.NewClientset()
	fails(c, "create", 1, errors.New("connection reset"), true)
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), createCall())
	if a.Outcome != Done || a.Pod == nil || a.Pod.Spec.NodeName != "n1" || count(c, "create") != 1 {
		t.Errorf("outcome %v, Pod %v, %d creates", a.Outcome, a.Pod, count(c, "create"))
	}
}

func TestACreateThatDidNotHappenIsBusy(t *testing.T) {
	c := fake.NewClientset()
	fails(c, "create", 1, errors.New("connection reset"), false)
	if a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), createCall()); a.Outcome != Busy {
		t.Errorf("outcome %v, want busy", a.Outcome)
	}
}

func TestASecondCreateOfTheSameSlotFindsTheFirst(t *testing.T) {
	c := fake.NewClientset()
	x := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep)
	first := x.Do(context.Background(), createCall())
	second := x.Do(context.Background(), createCall())
	if first.Outcome != Done || second.Outcome != Done || first.Pod.Name != second.Pod.Name {
		t.Errorf("outcomes %v, %v", first.Outcome, second.Outcome)
	}
	list, err := c.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("%d Pods, %v", len(list.Items), err)
	}
}

func TestANameThatAnotherHoldsIsTaken(t *testing.T) {
	c := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-foreign"}})
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), createCall())
	if a.Outcome != Taken || a.Pod.UID != "uid-foreign" {
		t.Errorf("outcome %v, held by %v", a.Outcome, a.Pod)
	}
}

func TestARefusedCreateIsNotRepeated(t *testing.T) {
	c := fake.NewClientset()
	fails(c, "create", 5, apierrors.NewForbidden(pods, "d-x", errors.New("exceeded quota: q")), false)
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), createCall())
	if a.Outcome != Refused || count(c, "create") != 1 {
		t.Errorf("outcome %v after %d creates", a.Outcome, count(c, "create"))
	}
}

func TestDeletesCarryWhatTheyWereDecidedOn(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		c := fake.NewClientset()
		var got metav1.DeleteOptions
		c.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
			got = a.(clienttesting.DeleteActionImpl).DeleteOptions
			return true, nil, nil
		})
		a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), deleteCall(guarded))
		if a.Outcome != Done || got.Preconditions == nil || *got.Preconditions.UID != "uid-p" {
			t.Fatalf("outcome %v, options %+v", a.Outcome, got)
		}
		if rv := got.Preconditions.ResourceVersion; guarded != (rv != nil && *rv == "7") {
			t.Errorf("guarded %v: resourceVersion %v", guarded, rv)
		}
	}
}

func TestADeleteWhoseAnswerIsLostIsRepeatedUntilItIsKnown(t *testing.T) {
	c := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-p"}})
	fails(c, "delete", 2, errors.New("connection reset"), false)
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), deleteCall(false))
	if a.Outcome != Done || count(c, "delete") != 3 {
		t.Errorf("outcome %v after %d deletes", a.Outcome, count(c, "delete"))
	}
}

func TestAConflictBringsTheChangedPodHome(t *testing.T) {
	c := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-p", ResourceVersion: "9"}})
	fails(c, "delete", 1, apierrors.NewConflict(pods, "d-x", errors.New("changed")), false)
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), deleteCall(true))
	if a.Outcome != Conflict || a.Pod == nil || a.Pod.ResourceVersion != "9" {
		t.Errorf("outcome %v, Pod %v", a.Outcome, a.Pod)
	}
}

func TestAWebhookThatSaysNotFoundOfAPodThatIsThereRefuses(t *testing.T) {
	for name, no := range map[string]error{
		"404": apierrors.NewNotFound(pods, "d-x"),
		"409": apierrors.NewConflict(pods, "d-x", errors.New("not now")),
	} {
		c := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-p", ResourceVersion: "7"}})
		fails(c, "delete", 1, no, false)
		if a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), deleteCall(true)); a.Outcome != Refused || a.Pod != nil {
			t.Errorf("%s: outcome %v, Pod %v", name, a.Outcome, a.Pod)
		}
	}
}

func TestAPodIsEndedByForceOnlyIfItsNodeIsReallyGone(t *testing.T) {
	call := deleteCall(false)
	call.Action.NodeGone = true
	back := fake.NewClientset(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
	if a := NewExecutor(Cluster(back.CoreV1(), back.AppsV1()), time.Second, Sleep).Do(context.Background(), call); a.Outcome != Conflict || count(back, "delete") != 0 {
		t.Errorf("the node exists: outcome %v, %d deletes", a.Outcome, count(back, "delete"))
	}
	gone := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-p"}})
	if a := NewExecutor(Cluster(gone.CoreV1(), gone.AppsV1()), time.Second, Sleep).Do(context.Background(), call); a.Outcome != Done || count(gone, "delete") != 1 {
		t.Errorf("the node is gone: outcome %v, %d deletes", a.Outcome, count(gone, "delete"))
	}
}

func TestNothingIsAdoptedForADaemonSetThatIsAnother(t *testing.T) {
	other := daemonSet()
	other.UID = "uid-second"
	c := fake.NewClientset(other, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-p"}})
	call := deleteCall(false)
	call.Action.Kind = plan.Adopt
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), call)
	if a.Outcome != Gone || count(c, "patch") != 0 {
		t.Errorf("outcome %v, %d patches", a.Outcome, count(c, "patch"))
	}
}

// An orphan is adopted as it was seen, or not at all: since then it may have been asked to end.
func TestOnlyWhatWasSeenIsAdopted(t *testing.T) {
	c := fake.NewClientset(daemonSet(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: "uid-p", ResourceVersion: "9"}})
	var sent []byte
	c.PrependReactor("patch", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		sent = a.(clienttesting.PatchAction).GetPatch()
		return true, nil, apierrors.NewConflict(pods, "d-x", errors.New("changed"))
	})
	call := deleteCall(false)
	call.Action.Kind = plan.Adopt
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), call)
	if a.Outcome != Conflict || a.Pod == nil || a.Pod.ResourceVersion != "9" {
		t.Errorf("outcome %v with Pod %v", a.Outcome, a.Pod)
	}
	if want := `"resourceVersion":"7"`; !strings.Contains(string(sent), want) {
		t.Errorf("the patch %s lacks %s", sent, want)
	}
}

func TestStatusKeepsWhatOthersWroteMeanwhile(t *testing.T) {
	live := daemonSet()
	live.Status.Conditions = []appsv1.DaemonSetCondition{{Type: "Foreign", Status: corev1.ConditionTrue}}
	c := fake.NewClientset(live)
	failed := false
	c.PrependReactor("update", "daemonsets", func(clienttesting.Action) (bool, runtime.Object, error) {
		if failed {
			return false, nil, nil
		}
		failed = true
		return true, nil, apierrors.NewConflict(pods, "d", errors.New("changed"))
	})
	a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), Call{Daemon: daemonSet(), Status: &appsv1.DaemonSetStatus{DesiredNumberScheduled: 3}})
	if a.Outcome != Done || a.DaemonSet.Status.DesiredNumberScheduled != 3 || len(a.DaemonSet.Status.Conditions) != 1 {
		t.Errorf("outcome %v, status %+v", a.Outcome, a.DaemonSet)
	}
}

// over is a context whose clock has run out, though nothing has cancelled it yet.
type over struct{ context.Context }

func (over) Err() error { return context.Canceled }

func TestNothingIsWrittenOnceTheLeaseMayBeOver(t *testing.T) {
	sent := 0
	x := NewExecutor(spy{sent: &sent}, time.Second, Sleep)
	for _, call := range []Call{createCall(), deleteCall(false), {Daemon: daemonSet(), Status: &appsv1.DaemonSetStatus{}}} {
		if a := x.Do(over{context.Background()}, call); a.Outcome != Stopped {
			t.Errorf("outcome %v, want stopped", a.Outcome)
		}
	}
	if sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}

// spy counts requests whose context has not ended, as a client sends no other.
type spy struct {
	API
	sent *int
}

func (s spy) send(ctx context.Context) error {
	if ctx.Err() == nil {
		*s.sent++
	}
	return ctx.Err()
}

func (s spy) CreatePod(ctx context.Context, _ *corev1.Pod, _ metav1.CreateOptions) (*corev1.Pod, error) {
	return nil, s.send(ctx)
}

func (s spy) GetPod(ctx context.Context, _, _ string) (*corev1.Pod, error) { return nil, s.send(ctx) }

func (s spy) DeletePod(ctx context.Context, _, _ string, _ metav1.DeleteOptions) error {
	return s.send(ctx)
}

func (s spy) UpdateDaemonSetStatus(ctx context.Context, _ *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	return nil, s.send(ctx)
}

// The API server says "invalid" of a patch for a namesake, and where another controller was faster (422, not 409).
func TestAPatchThatComesTooLateIsNoRefusal(t *testing.T) {
	for name, tc := range map[string]struct {
		uid, version string
		want         Outcome
	}{
		"a namesake":               {"uid-second", "9", Gone},
		"changed meanwhile":        {"uid-p", "9", Conflict},
		"refused as it was judged": {"uid-p", "7", Refused},
	} {
		live := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-x", UID: types.UID(tc.uid), ResourceVersion: tc.version}}
		c := fake.NewClientset(live)
		fails(c, "patch", 1, apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "d-x", nil), false)
		call := deleteCall(true)
		call.Action.Kind, call.Action.Hash = plan.Relabel, "h"
		a := NewExecutor(Cluster(c.CoreV1(), c.AppsV1()), time.Second, Sleep).Do(context.Background(), call)
		if a.Outcome != tc.want || (tc.want == Conflict) != (a.Pod != nil) {
			t.Errorf("%s: outcome %v with Pod %v, want %v", name, a.Outcome, a.Pod, tc.want)
		}
	}
}
