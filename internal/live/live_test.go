package live

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

var (
	t0  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key = types.NamespacedName{Namespace: "monitoring", Name: "exporter"}
)

type always struct{}

func (always) Verdict(*fleet.Node) fleet.Verdict { return fleet.Verdict{Decision: fleet.Run} }

// cluster is what the API shows to anybody: a DaemonSet, three nodes, and Pods on two of them and on one that is gone.
func cluster(uid types.UID) *fleet.Fleet {
	f := fleet.New(func(*appsv1.DaemonSet) fleet.Judge { return always{} })
	for _, name := range []string{"n1", "n2", "n3"} {
		f.ApplyNode(&fleet.Node{Name: name, Version: 1}, t0)
	}
	f.ApplyDaemon(&appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: uid, Generation: 4},
		Spec:       appsv1.DaemonSetSpec{MinReadySeconds: 60, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}},
	}, 1, false, t0)
	for _, node := range []string{"n1", "n2", "gone"} {
		f.ApplyPod(&fleet.Pod{
			Name: "exporter-" + node, UID: types.UID("pod-" + node), Version: 1, On: node, Bound: true, Ready: true, ReadyStamp: fleet.StampOf(t0),
			Shape: &fleet.Shape{Namespace: key.Namespace, Owner: uid, OwnerKind: fleet.DaemonSetKind, OwnerName: key.Name, Labels: map[string]string{"app": "x"}},
		}, t0)
	}
	return f
}

// What a controller knows survives the way to another process: told again there, it is the same.
func TestThereAndBack(t *testing.T) {
	f := cluster("u")
	d := f.Daemon(key)
	d.Approved = "hash"
	d.Stalled, d.StalledWhy = fleet.Backoff{Until: t0.Add(time.Minute), Delay: 8 * time.Second, Epoch: 4}, fleet.Reason{Code: fleet.CallBackoff, Detail: "no"}
	d.Slot("n1").Note(func(x *fleet.Trouble) {
		x.Failures = fleet.Backoff{Until: t0.Add(time.Minute), Delay: 4 * time.Second, Epoch: 4}
		x.Taken = "foreign"
	})
	d.Slot("n3").Note(func(x *fleet.Trouble) {
		x.Refusals, x.Refused = fleet.Backoff{Until: t0.Add(2 * time.Minute), Delay: 1500 * time.Millisecond, Epoch: 4}, "exceeded quota"
	})
	d.Slot("gone").Note(func(x *fleet.Trouble) { x.GoneSince = t0.Add(-20 * time.Second) })
	d.CreateSent("n3")
	d.CreateAnswered("n3", "exporter-late", t0.Add(time.Minute), t0)
	d.CreateSent("n3")
	f.MarkDeleting(d.Slot("n2").Pods[0], true)
	told := Read(d, "direct", t0)

	text, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	var heard State
	if err := json.Unmarshal(text, &heard); err != nil {
		t.Fatal(err)
	}
	other := cluster("u")
	if !heard.Apply(other, t0) {
		t.Fatal("the state does not fit its own DaemonSet")
	}
	if diff := cmp.Diff(told, Read(other.Daemon(key), "direct", t0)); diff != "" {
		t.Errorf("told again (-first +second): %s", diff)
	}
	if len(told.Nodes) != 4 || told.Held == nil || told.Nodes[0].Name != "gone" || told.Nodes[2].Pods[0].Call != Deleting || told.Nodes[3].Creates != 1 {
		t.Errorf("state = %s", text)
	}
}

// A DaemonSet that was deleted and made again has nothing to do with what is known of the first.
func TestAnotherOfTheName(t *testing.T) {
	f := cluster("u")
	told := Read(f.Daemon(key), "direct", t0)
	if told.Apply(cluster("another"), t0) {
		t.Error("the state of one DaemonSet was taken for another's")
	}
}

func TestBackoffsThatAreOverAreNotTold(t *testing.T) {
	f := cluster("u")
	d := f.Daemon(key)
	d.Slot("n1").Note(func(x *fleet.Trouble) {
		x.Refusals, x.Refused = fleet.Backoff{Until: t0.Add(-time.Second), Delay: time.Second, Epoch: 4}, "exceeded quota"
	})
	d.Slot("n3").Note(func(x *fleet.Trouble) {
		x.Failures = fleet.Backoff{Until: t0.Add(time.Minute), Delay: time.Second, Epoch: 3}
	})
	for _, n := range Read(d, "direct", t0).Nodes {
		if n.Refused != nil || n.Failures != nil {
			t.Errorf("%+v", n)
		}
	}
}
