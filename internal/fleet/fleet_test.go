package fleet

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// labelJudge runs a daemon where the node has the template's nodeSelector labels.
type labelJudge struct{ want map[string]string }

func (j labelJudge) Verdict(n *Node) Verdict {
	for k, v := range j.want {
		if n.Labels[k] != v {
			return Verdict{Decision: Leave, Reason: Reason{Code: NodeSelectorMismatch, Detail: k}}
		}
	}
	return Verdict{Decision: Run, Reason: Reason{Code: Fits}}
}

func newFleet() *Fleet {
	return New(func(ds *appsv1.DaemonSet) Judge { return labelJudge{ds.Spec.Template.Spec.NodeSelector} })
}

func daemonSet(name string, selector map[string]string) *appsv1.DaemonSet {
	l := map[string]string{"app": name}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID("uid-" + name), Generation: 1},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: l},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: l}, Spec: corev1.PodSpec{NodeSelector: selector}},
		},
	}
}

func node(name string, v Version, labels map[string]string) *Node {
	return &Node{Name: name, UID: types.UID("uid-" + name), Version: v, Labels: labels}
}

func pod(name, uid, daemon, on string, v Version) *Pod {
	return &Pod{
		Name: name, UID: types.UID(uid), Version: v, On: on, Bound: on != "", Created: StampOf(t0),
		Shape: &Shape{Namespace: "default", Owner: types.UID("uid-" + daemon), OwnerKind: DaemonSetKind, OwnerName: daemon, Labels: map[string]string{"app": daemon}},
	}
}

func dirtyNames(f *Fleet) []string {
	var out []string
	for _, d := range f.Dirty() {
		out = append(out, d.Key.Name)
	}
	return out
}

func wantDirty(t *testing.T, f *Fleet, want ...string) {
	t.Helper()
	got := dirtyNames(f)
	if len(got) != len(want) {
		t.Fatalf("dirty = %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("dirty = %v, want %v", got, want)
		}
	}
}

func settled() *Fleet {
	f := newFleet()
	f.ApplyNode(node("n1", 1, map[string]string{"disk": "ssd"}), t0)
	f.ApplyNode(node("n2", 2, nil), t0)
	f.ApplyDaemon(daemonSet("all", nil), 3, false, t0)
	f.ApplyDaemon(daemonSet("ssd", map[string]string{"disk": "ssd"}), 4, false, t0)
	f.ApplyPod(pod("a1", "u1", "all", "n1", 5), t0)
	f.ApplyPod(pod("a2", "u2", "all", "n2", 6), t0)
	f.ApplyPod(pod("s1", "u3", "ssd", "n1", 7), t0)
	f.Dirty()
	return f
}

func TestHeartbeatsMakeNothingDirty(t *testing.T) {
	f := settled()
	n := node("n1", 10, map[string]string{"disk": "ssd"})
	n.Ready = true
	f.ApplyNode(n, t0)
	again := pod("a1", "u1", "all", "n1", 11)
	f.ApplyPod(again, t0.Add(time.Minute))
	wantDirty(t, f)
}

func TestALabelWakesOnlyTheDaemonsThatItConcerns(t *testing.T) {
	f := settled()
	f.ApplyNode(node("n2", 10, map[string]string{"disk": "ssd", "rack": "7"}), t0)
	wantDirty(t, f, "ssd")
	f.ApplyNode(node("n2", 11, map[string]string{"disk": "ssd", "rack": "8"}), t0)
	wantDirty(t, f)
}

func TestAnOlderFactNeverOverwritesANewerOne(t *testing.T) {
	f := settled()
	newer := pod("a1", "u1", "all", "n1", 20)
	newer.Terminating = true
	f.ApplyPod(newer, t0)
	f.ApplyPod(pod("a1", "u1", "all", "n1", 9), t0)
	if p := f.Daemon(types.NamespacedName{Namespace: "default", Name: "all"}).Slot("n1").Pods[0]; !p.Terminating {
		t.Error("the Pod came back to life from an older event")
	}
}

func TestAnAnswerThatTheWatchHasOvertakenRevivesNothing(t *testing.T) {
	f := settled()
	placeholder := pod("new", "", "ssd", "n1", 0)
	f.Creating(placeholder, t0)
	f.ApplyPod(pod("new", "u9", "ssd", "n1", 10), t0)
	f.DeletePod(pod("new", "u9", "ssd", "n1", 11))
	f.ApplyAnswer(pod("new", "u9", "ssd", "n1", 10), t0)
	if p := f.Pod(types.NamespacedName{Namespace: "default", Name: "new"}); p != nil {
		t.Errorf("a deleted Pod is back: %+v", p)
	}
}

func TestAnAnswerBeforeTheWatchFillsTheSlot(t *testing.T) {
	f := settled()
	f.Creating(pod("new", "", "ssd", "n1", 0), t0)
	f.ApplyAnswer(pod("new", "u9", "ssd", "n1", 30), t0)
	f.ApplyPod(pod("new", "u9", "ssd", "n1", 30), t0)
	s := f.Daemon(types.NamespacedName{Namespace: "default", Name: "ssd"}).Slot("n1")
	if len(s.Pods) != 2 || s.Pods[0].UID != "u9" && s.Pods[1].UID != "u9" || s.Pods[0].Creating || s.Pods[1].Creating {
		t.Errorf("slot holds %+v", s.Pods)
	}
}

func TestAListDropsWhatItLacksButNotWhatIsNewer(t *testing.T) {
	f := settled()
	f.Creating(pod("flying", "", "ssd", "n1", 0), t0)
	f.ApplyAnswer(pod("fresh", "u8", "ssd", "n1", 50), t0)
	f.ReplacePods([]*Pod{pod("a1", "u1", "all", "n1", 5)}, 40, t0)
	for name, want := range map[string]bool{"a1": true, "a2": false, "s1": false, "flying": true, "fresh": true} {
		if got := f.Pod(types.NamespacedName{Namespace: "default", Name: name}) != nil; got != want {
			t.Errorf("Pod %s is here: %v, want %v", name, got, want)
		}
	}
}

func TestANodeThatLeavesKeepsItsSlotUntilThePodsAreGone(t *testing.T) {
	f := settled()
	f.DeleteNode("n2", 20, t0)
	wantDirty(t, f, "all")
	s := f.Daemon(types.NamespacedName{Namespace: "default", Name: "all"}).Slot("n2")
	if s.Node != nil || s.Trouble().GoneSince != t0 || s.Verdict.Reason.Code != NodeGone {
		t.Fatalf("slot = %+v", s)
	}
	f.DeletePod(pod("a2", "u2", "all", "n2", 21))
	if s := f.Daemon(types.NamespacedName{Namespace: "default", Name: "all"}).Slot("n2"); s != nil {
		t.Errorf("an empty slot of a node that does not exist: %+v", s)
	}
}

func TestAChangedPodKeepsTheSlotOfItsVanishedNode(t *testing.T) {
	f := settled()
	f.DeleteNode("n1", 19, t0.Add(time.Minute))
	d := f.Daemon(types.NamespacedName{Namespace: "default", Name: "all"})
	d.Slot("n1").Note(func(t *Trouble) { t.Refused = "no" })
	for i, change := range []func(*Pod){
		func(p *Pod) { p.Phase = PhaseFailed },
		func(p *Pod) { p.Labels = map[string]string{"app": "all", "edited": "yes"} },
		func(p *Pod) { p.Terminating = true },
	} {
		p := pod("a1", "u1", "all", "n1", Version(20+i)) //nolint:gosec // three of them
		change(p)
		f.ApplyPod(p, t0.Add(time.Duration(i+2)*time.Minute))
		if got := d.Slot("n1").Trouble(); !got.GoneSince.Equal(t0.Add(time.Minute)) || got.Refused != "no" {
			t.Errorf("after change %d the node is gone since %v, and the last refusal is %q", i, got.GoneSince, got.Refused)
		}
	}
	f.DeletePod(pod("a1", "u1", "all", "n1", 30))
	if d.Slot("n1") != nil {
		t.Error("a slot with neither node nor Pod stays")
	}
}

func TestRoomWakesWhoWaitsForIt(t *testing.T) {
	f := settled()
	d := f.Daemon(types.NamespacedName{Namespace: "default", Name: "ssd"})
	f.Wait(d, "n2")
	f.DeletePod(pod("a2", "u2", "all", "n2", 21))
	wantDirty(t, f, "all", "ssd")
	f.Wait(d, "n2")
	bigger := node("n2", 22, nil)
	bigger.Allocatable.MilliCPU = 8000
	f.ApplyNode(bigger, t0)
	wantDirty(t, f, "ssd")
}

func TestANamesakeInheritsNothing(t *testing.T) {
	f := settled()
	f.Daemon(types.NamespacedName{Namespace: "default", Name: "all"}).Slot("n1").Note(func(t *Trouble) { t.Failures = Backoff{Until: t0.Add(time.Hour), Epoch: 1} })
	again := daemonSet("all", nil)
	again.UID = "uid-second"
	f.ApplyDaemon(again, 30, false, t0)
	s := f.Daemon(types.NamespacedName{Namespace: "default", Name: "all"}).Slot("n1")
	if len(s.Pods) != 0 || s.Trouble().Failures.Waits(t0, 1) {
		t.Errorf("slot of the second DaemonSet = %+v", s)
	}
}

// Clocks may differ by minutes and jump by a day; only a controller that did not see a Pod turn Ready needs the stamp.
func TestMinReadySecondsCountByTheOwnClock(t *testing.T) {
	const h = time.Hour
	type sight struct {
		at, stamp time.Duration
		ready     bool
	}
	for name, tc := range map[string]struct {
		sights []sight
		want   time.Duration
	}{
		"seen turning Ready":                           {[]sight{{0, 0, false}, {5 * time.Second, 4 * time.Second, true}}, 15 * time.Second},
		"the kubelet's clock is an hour behind":        {[]sight{{0, 0, false}, {5 * time.Second, -h, true}}, 15 * time.Second},
		"the kubelet's clock is an hour ahead":         {[]sight{{0, 0, false}, {5 * time.Second, h, true}}, 15 * time.Second},
		"known as Ready already":                       {[]sight{{0, 0, true}, {5 * time.Second, 0, true}}, 10 * time.Second},
		"the controller restarted":                     {[]sight{{0, -h, true}}, 10*time.Second - h},
		"the controller restarted, a stamp is to come": {[]sight{{0, h, true}}, 10 * time.Second},
		"it was not Ready in between, unseen":          {[]sight{{0, -h, true}, {5 * time.Second, 3 * time.Second, true}}, 15 * time.Second},
	} {
		f := newFleet()
		for i, s := range tc.sights {
			p := &Pod{Name: "p", UID: "u", Version: Version(i + 1), Ready: s.ready, Shape: &Shape{Namespace: "default"}}
			if s.ready {
				p.ReadyStamp = StampOf(t0.Add(s.stamp))
			}
			f.ApplyPod(p, t0.Add(s.at))
		}
		p := f.Pod(types.NamespacedName{Namespace: "default", Name: "p"})
		if at, ok := p.AvailableAt(10 * time.Second); !ok || at.Sub(t0) != tc.want {
			t.Errorf("%s: available at %v, want %v", name, at.Sub(t0), tc.want)
		}
	}
}

// What a list or an answer tells may be old news: a Pod that is Ready in it may have been so for long. It counts from then, and is
// known not to be known.
func TestWhoFindsAPodReadyDoesNotKnowSinceWhen(t *testing.T) {
	key := types.NamespacedName{Namespace: "default", Name: "p"}
	sight := func(v Version, ready bool) *Pod {
		p := &Pod{Name: key.Name, UID: "u", Version: v, Ready: ready, Shape: &Shape{Namespace: key.Namespace}}
		if ready {
			p.ReadyStamp = StampOf(t0.Add(-time.Hour))
		}
		return p
	}
	for name, tc := range map[string]struct {
		tell    func(f *Fleet, p *Pod, now time.Time)
		unclear bool
	}{
		"the watch":               {func(f *Fleet, p *Pod, now time.Time) { f.ApplyPod(p, now) }, false},
		"a list":                  {func(f *Fleet, p *Pod, now time.Time) { f.ReplacePods([]*Pod{p}, p.Version, now) }, true},
		"the answer to a request": {func(f *Fleet, p *Pod, now time.Time) { f.ApplyAnswer(p, now) }, true},
	} {
		f, now := newFleet(), t0.Add(5*time.Second)
		f.ApplyPod(sight(1, false), t0)
		tc.tell(f, sight(2, true), now)
		if p := f.Pod(key); !p.Ready || !p.ReadySince.Equal(now) || p.ClockUnclear != tc.unclear {
			t.Errorf("%s: Ready %v since %v, unclear %v; want unclear %v", name, p.Ready, p.ReadySince.Sub(t0), p.ClockUnclear, tc.unclear)
		}
		f.ReplacePods([]*Pod{sight(2, true)}, 3, now.Add(time.Second))
		if p := f.Pod(key); !p.ReadySince.Equal(now) || p.ClockUnclear != tc.unclear {
			t.Errorf("%s, then a list that has no news: Ready since %v, unclear %v", name, p.ReadySince.Sub(t0), p.ClockUnclear)
		}
	}
}

func TestBackoffDoublesAndIsForgotten(t *testing.T) {
	now, b := t0, Backoff{}
	for _, want := range []time.Duration{1, 2, 4, 8, 8} {
		b = b.Next(now, 1, time.Second, 8*time.Second, time.Minute)
		if b.Delay != want*time.Second {
			t.Fatalf("delay = %v, want %v", b.Delay, want*time.Second)
		}
		now = b.Until
	}
	if b.Waits(b.Until.Add(-1), 2) {
		t.Error("a new epoch waits for an old one's backoff")
	}
	if b = b.Next(b.Until.Add(2*time.Minute), 1, time.Second, 8*time.Second, time.Minute); b.Delay != time.Second {
		t.Errorf("after a calm minute the delay is %v", b.Delay)
	}
}

func TestAnAnswerBringsNoRevisionBack(t *testing.T) {
	f := newFleet()
	made := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d-1", UID: "u"}}
	key := types.NamespacedName{Namespace: "default", Name: "d-1"}
	f.ApplyRevision(made, 5)
	f.DeleteRevision(key, "u", 7)
	f.AnswerRevision(made, 5) // the answer to the create comes last
	if _, _, _, n := f.Sizes(); n != 0 {
		t.Errorf("%d revisions are known, want none", n)
	}
	f.AnswerRevision(made, 9) // made again, and the watch has not told yet
	if _, _, _, n := f.Sizes(); n != 1 {
		t.Errorf("%d revisions are known, want the second", n)
	}
}

func TestCreatesOutliveTheirSlot(t *testing.T) {
	f := settled()
	key := types.NamespacedName{Namespace: "default", Name: "all"}
	d := f.Daemon(key)
	d.CreateSent("n1")
	f.DeleteNode("n1", 100, t0)
	d.CreateAnswered("n1", "all-x", t0.Add(time.Minute), t0)
	if c := d.Creates("n1"); c.UnderWay != 0 || c.Unsure != "all-x" {
		t.Errorf("after the node went: %+v", c)
	}
	d.CreateSent("n1")
	d.CreateAnswered("n1", "", time.Time{}, t0.Add(2*time.Minute))
	if c := d.Creates("n1"); c != (Creates{}) {
		t.Errorf("when it cannot appear any more: %+v", c)
	}
}
