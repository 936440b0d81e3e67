package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// world is a small cluster on a virtual clock: it carries out the Core's calls, plays kubelets, binder and garbage
// collector, and writes down everything that was written.
type world struct {
	now       time.Time
	rv, uids  uint64
	core      *Core
	placement plan.Placement
	nodes     map[string]*corev1.Node
	pods      map[string]*corev1.Pod
	sets      map[string]*appsv1.DaemonSet
	revisions map[string]*appsv1.ControllerRevision
	agenda    []appointment
	log       []string
	events    []string
	writes    int
	plans     map[string]int
	// What the scenario switches.
	mute, rejecting  map[string]bool
	readyAfter       time.Duration
	grace            time.Duration
	badImages        map[string]bool
	refuseAs         act.Outcome
	denyCreate       func(node string) error
	quota            int
	skew, lag        time.Duration
	toldUntil        time.Time
	booked, underway int
	joined           []time.Duration
	statuses         []string
	extremes         func() string
	watchers         []func()
}

type appointment struct {
	at  time.Time
	seq int
	do  func()
}

func newWorld(placement plan.Placement) *world {
	w := &world{
		now: t0, placement: placement, nodes: map[string]*corev1.Node{}, pods: map[string]*corev1.Pod{},
		sets: map[string]*appsv1.DaemonSet{}, revisions: map[string]*appsv1.ControllerRevision{},
		mute: map[string]bool{}, rejecting: map[string]bool{}, badImages: map[string]bool{},
		readyAfter: time.Second, refuseAs: act.Refused, grace: time.Second, quota: -1, plans: map[string]int{},
	}
	w.restart()
	return w
}

// Planned and Answered make the world the Core's observer.
func (w *world) Planned(p plan.Plan, _ *plan.Book, _ time.Duration) { w.plans[p.Daemon.Key.Name]++ }
func (w *world) Answered(act.Answer)                                {}
func (w *world) Forgotten(types.UID)                                {}
func (w *world) Joined(took time.Duration)                          { w.joined = append(w.joined, took) }

// recorder writes down the events that really go out.
type recorder struct{ w *world }

func (r recorder) Event(object runtime.Object, _, reason, message string) {
	r.w.events = append(r.w.events, fmt.Sprintf("%s %s %s: %s", r.w.clock(), object.(*corev1.ObjectReference).Name, reason, message))
}

func (r recorder) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	r.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

func (r recorder) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	r.Eventf(object, kind, reason, format, args...)
}

// restart replaces the controller: the new one knows only what the API tells.
func (w *world) restart() {
	w.core = NewCore(w.placement, act.NewHerald(recorder{w}, scheme.Scheme).Say, w)
	for _, n := range sorted(w.nodes) {
		w.core.Fleet.ApplyNode(fleet.NewNode(n, w.version(n)), w.now)
	}
	for _, ds := range sorted(w.sets) {
		w.core.Fleet.ApplyDaemon(ds, w.version(ds), false, w.now)
	}
	for _, r := range sorted(w.revisions) {
		w.core.Fleet.ApplyRevision(r, w.version(r))
	}
	w.toldUntil, w.underway = w.now, 0 // the first list is a consistent read, and the watch goes on from there
	for _, p := range sorted(w.pods) {
		w.core.Fleet.ApplyPod(w.fact(p), w.now)
	}
}

// restartStale replaces the controller by one whose first list of Pods is older than all of them.
func (w *world) restartStale() {
	pods := w.pods
	w.pods = nil
	w.restart()
	w.pods = pods
	for _, p := range sorted(pods) {
		w.tellPod(p)
	}
}

func sorted[T any](m map[string]T) []T {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]T, 0, len(m))
	for _, k := range keys {
		out = append(out, m[k])
	}
	return out
}

func (w *world) version(o metav1.Object) fleet.Version {
	v, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(err)
	}
	return fleet.Version(v)
}

func (w *world) touch(o metav1.Object) {
	w.rv++
	o.SetResourceVersion(strconv.FormatUint(w.rv, 10))
	if o.GetUID() == "" {
		w.uids++
		o.SetUID(types.UID(fmt.Sprintf("uid-%d", w.uids)))
		o.SetCreationTimestamp(metav1.NewTime(w.now))
	}
}

func (w *world) clock() string { return "+" + w.now.Sub(t0).String() }

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, w.clock()+" "+fmt.Sprintf(format, args...))
}

func (w *world) later(d time.Duration, do func()) {
	w.booked++
	w.agenda = append(w.agenda, appointment{at: w.now.Add(d), seq: w.booked, do: do})
	slices.SortStableFunc(w.agenda, func(a, b appointment) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.seq, b.seq)) })
}

// run lets the cluster live for d.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		w.work()
		next := end
		if len(w.agenda) > 0 && w.agenda[0].at.Before(next) {
			next = w.agenda[0].at
		}
		if n := w.core.Next(); !n.IsZero() && n.Before(next) {
			next = n
		}
		if next.After(w.now) {
			w.now = next
		}
		for len(w.agenda) > 0 && !w.agenda[0].at.After(w.now) {
			do := w.agenda[0].do
			w.agenda = w.agenda[1:]
			do()
		}
		if !w.now.Before(end) {
			w.work()
			return
		}
	}
}

// work lets the controller act until it has nothing more to do at this moment.
func (w *world) work() {
	for range 10_000 {
		calls := w.core.Step(w.now, func() time.Time { return w.now })
		if len(calls) == 0 {
			return
		}
		for _, c := range calls {
			a := w.do(c)
			a.Call = c
			w.core.Answer(a, w.now)
			w.look()
		}
	}
	panic("the controller does not come to rest:\n" + strings.Join(w.log[max(0, len(w.log)-12):], "\n"))
}

func (w *world) look() {
	for _, f := range w.watchers {
		f()
	}
}

// tellPod lets the controller's watch see a Pod, at once or after the watch's lag.
func (w *world) tellPod(p *corev1.Pod) {
	fact := w.fact(p)
	w.tell(func(c *Core) { c.Fleet.ApplyPod(fact, w.now) })
}

func (w *world) fact(p *corev1.Pod) *fleet.Pod {
	node, _ := match.Target(&p.Spec)
	return fleet.NewPod(p.DeepCopy(), w.version(p), node)
}

func (w *world) tell(f func(*Core)) {
	at := w.now.Add(w.lag)
	if at.Before(w.toldUntil) {
		at = w.toldUntil // a watch keeps the order
	}
	w.toldUntil = at
	if at.Equal(w.now) && w.underway == 0 {
		f(w.core)
		return
	}
	core := w.core
	w.underway++
	w.later(at.Sub(w.now), func() {
		if core == w.core {
			w.underway--
			f(core)
		}
	})
}

// changePod writes a Pod and lets the controller see it.
func (w *world) changePod(p *corev1.Pod, change func(*corev1.Pod)) {
	if w.pods[p.Name] == nil || w.pods[p.Name].UID != p.UID {
		return
	}
	q := w.pods[p.Name].DeepCopy()
	change(q)
	w.touch(q)
	w.pods[q.Name] = q
	w.tellPod(q)
	w.look()
}

func (w *world) removePod(p *corev1.Pod) {
	q := w.pods[p.Name]
	if q == nil || q.UID != p.UID {
		return
	}
	if len(q.Finalizers) > 0 {
		return
	}
	delete(w.pods, p.Name)
	w.rv++
	f := fleet.NewPod(q, fleet.Version(w.rv), "")
	w.tell(func(c *Core) { c.Fleet.DeletePod(f) })
}

func (w *world) changeSet(ds *appsv1.DaemonSet) {
	w.touch(ds)
	w.sets[ds.Name] = ds
	w.core.Fleet.ApplyDaemon(ds.DeepCopy(), w.version(ds), false, w.now)
}

func (w *world) removeSet(ds *appsv1.DaemonSet) {
	delete(w.sets, ds.Name)
	w.rv++
	w.core.Fleet.DeleteDaemon(types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}, ds.UID)
}

func (w *world) changeNode(n *corev1.Node) {
	w.touch(n)
	w.nodes[n.Name] = n
	w.core.Fleet.ApplyNode(fleet.NewNode(n.DeepCopy(), w.version(n)), w.now)
}

func (w *world) removeNode(name string) {
	delete(w.nodes, name)
	w.rv++
	w.core.Fleet.DeleteNode(name, fleet.Version(w.rv), w.now)
}

// onNode are the daemon's Pods on a node, by name.
func (w *world) onNode(daemon, node string) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range sorted(w.pods) {
		on, _ := match.Target(&p.Spec)
		ref := metav1.GetControllerOf(p)
		if on == node && (daemon == "" || (ref != nil && ref.Name == daemon) || p.Name == daemon) {
			out = append(out, p)
		}
	}
	return out
}
