package simworld

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// sound checks the invariants against the true history. What it knows of a controller is only which request a write came
// from and up to when that process knew everything: its horizon.
type sound struct {
	w     *World
	pods  map[types.UID]*podTruth
	sets  map[types.UID]*setTruth
	nodes map[string][]nodeTruth
	// refused are the last refused calls of an errand, for the hot loop; ended are deletes that were answered.
	refused map[errand]*refusals
	ended   map[errand]bool
	// failures are where we removed a Pod that had ended by itself, and none followed; successors are the creates after such.
	failures   map[place]bool
	successors map[errand]*refusals
	// asks are when the last plans want to be made again.
	asks map[planOfSet]time.Time
	// accepted are revisions and template generations of which the API server took a Pod, or would have.
	accepted map[template]bool
	// acked are own creates that were answered, by process.
	acked map[process][]*corev1.Pod
	// template is the data of the template that was audited last, which takes long to make.
	template struct {
		of   *fleet.Daemon
		data []byte
	}
	// inSecond counts the calls of an errand in the second that is under way.
	second   time.Time
	inSecond map[errand]int
	// late counts writes of processes that were dead or no longer led.
	late int
	// writesBefore and writesAllowed bound the recovery.
	writesBefore, writesAllowed int
}

// podTruth is what truly became of one Pod.
type podTruth struct {
	set       types.UID // the DaemonSet that it was made for; empty if nobody of ours made it
	disturbed bool      // a third party changed its labels or owners
	displaced bool      // deleted by us from a node that no longer qualifies
	late      bool      // made by a process that was dead or no longer led
	adopted   time.Time // when its adoption was decided
	adopter   types.UID // the DaemonSet that adopted it
	readyAt   time.Time // since when it is Ready; zero while it is not
	readyTill time.Time // until when it was Ready, if it no longer is
	wasReady  time.Time // since when it had been, then
	last      *corev1.Pod
}

// ours tells that a DaemonSet made or adopted the Pod, whoever has it now.
func (t *podTruth) ours(set types.UID) bool { return t.set == set || t.adopter == set }

// setTruth is what truly became of one DaemonSet.
type setTruth struct {
	key   types.NamespacedName
	gone  time.Time // when it was deleted or marked so; zero while it lives
	specs []specTruth
	// desired are the numbers of nodes that should run it, with the time since when.
	desired []countTruth
	may     map[string]qualified // what each node is good for now
	// removed are nodes whose available Pod a rollout took, with no available one since.
	removed      map[string]bool // the value tells that it was a late write
	removedSince time.Time
	surged       map[string]types.UID // nodes where a surge began, with the new Pod
	observed     int64
}

type specTruth struct {
	since time.Time
	ds    *appsv1.DaemonSet
}

type countTruth struct {
	since time.Time
	n     int
}

type qualified struct{ start, stay bool }

// nodeTruth is a node as it was since then; nil while it did not exist.
type nodeTruth struct {
	since time.Time
	node  *corev1.Node
}

func newSound(w *World) *sound {
	return &sound{
		w: w, pods: map[types.UID]*podTruth{}, sets: map[types.UID]*setTruth{}, nodes: map[string][]nodeTruth{},
		refused: map[errand]*refusals{}, ended: map[errand]bool{}, asks: map[planOfSet]time.Time{}, inSecond: map[errand]int{}, failures: map[place]bool{}, successors: map[errand]*refusals{},
		accepted: map[template]bool{}, acked: map[process][]*corev1.Pod{},
	}
}

// committed takes a change into the truth, and checks it where one of our controllers made it.
func (s *sound) committed(c apimodel.Change, by *serving) {
	switch o := c.New.(type) {
	case *corev1.Pod:
		s.pod(c, o, by)
	case *appsv1.DaemonSet:
		s.set(c, o)
		if by != nil {
			s.statusWrite(c, o, by)
		}
	case *corev1.Node:
		if c.Type == watch.Deleted {
			o = nil
		}
		s.nodes[c.New.GetName()] = append(s.nodes[c.New.GetName()], nodeTruth{s.w.now, o})
		s.qualify(c.New.GetName())
	case *appsv1.ControllerRevision:
		if by != nil {
			s.revisionWrite(c, o, by)
		}
	}
}

func (s *sound) pod(c apimodel.Change, p *corev1.Pod, by *serving) {
	t := s.pods[p.UID]
	if t == nil {
		t = &podTruth{}
		s.pods[p.UID] = t
		if by != nil && by.call().Status == nil && by.call().Action.Kind == plan.Create {
			t.set, t.late = by.call().Daemon.UID, by.flight.late()
		}
	}
	if by == nil && c.Type == watch.Modified && disturbs(c.Old.(*corev1.Pod), p) {
		t.disturbed = true
	}
	if by != nil {
		s.podWrite(c, p, t, by)
	}
	now := s.w.now
	switch ready := isReady(p) && c.Type != watch.Deleted; {
	case ready && t.readyAt.IsZero():
		t.readyAt = now
	case !ready && !t.readyAt.IsZero():
		t.wasReady, t.readyTill, t.readyAt = t.readyAt, now, time.Time{}
	}
	t.last = p
	if ref := metav1.GetControllerOf(p); ref != nil {
		s.accepts(ref.UID, hashOf(p), p.Labels[fleet.TemplateGenerationLabel])
	}
	s.settleRemoved()
}

// disturbs tells that a change by somebody else made a Pod another's or nobody's.
func disturbs(a, b *corev1.Pod) bool {
	ra, rb := metav1.GetControllerOf(a), metav1.GetControllerOf(b)
	if (ra == nil) != (rb == nil) || (ra != nil && ra.UID != rb.UID) {
		return true
	}
	return a.Labels["app"] != b.Labels["app"] || a.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] != b.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
}

func (s *sound) set(c apimodel.Change, ds *appsv1.DaemonSet) {
	t := s.sets[ds.UID]
	now := s.w.now
	if t == nil {
		t = &setTruth{
			key: types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}, may: map[string]qualified{},
			removed: map[string]bool{}, surged: map[string]types.UID{},
		}
		s.sets[ds.UID] = t
		s.w.daemonUIDs[ds.UID] = true
	}
	if t.gone.IsZero() && (c.Type == watch.Deleted || ds.DeletionTimestamp != nil) {
		t.gone = now
	}
	if n := len(t.specs); n == 0 || t.specs[n-1].ds.Generation != ds.Generation {
		t.specs = append(t.specs, specTruth{now, ds})
		for _, n := range s.w.nodes() {
			s.qualifyOn(t, n.Name)
		}
		s.recount(t)
	}
}

// qualify judges a node anew for all DaemonSets.
func (s *sound) qualify(node string) {
	for _, uid := range sortedKeys(s.sets) {
		t := s.sets[uid]
		s.qualifyOn(t, node)
		s.recount(t)
	}
	s.settleRemoved()
}

func (s *sound) qualifyOn(t *setTruth, node string) {
	var q qualified
	if n, err := s.w.API.GetNode(node); err == nil {
		q.start, q.stay = may(t.spec(), n)
	}
	t.may[node] = q
}

func (s *sound) recount(t *setTruth) {
	n := 0
	for _, q := range t.may {
		if q.start {
			n++
		}
	}
	if k := len(t.desired); k == 0 || t.desired[k-1].n != n {
		t.desired = append(t.desired, countTruth{s.w.now, n})
	}
}

func (t *setTruth) spec() *appsv1.DaemonSet { return t.specs[len(t.specs)-1].ds }

// specsSince are the specs that were in force at some time since then.
func (t *setTruth) specsSince(then time.Time) []*appsv1.DaemonSet {
	var out []*appsv1.DaemonSet
	for i := len(t.specs) - 1; i >= 0; i-- {
		out = append(out, t.specs[i].ds)
		if t.specs[i].since.Before(then) {
			break
		}
	}
	return out
}

// mostDesired is the largest desired count since then.
func (t *setTruth) mostDesired(then time.Time) int {
	most := 0
	for i := len(t.desired) - 1; i >= 0; i-- {
		most = max(most, t.desired[i].n)
		if t.desired[i].since.Before(then) {
			break
		}
	}
	return most
}

// qualifiedSince tells whether a node and a spec were ever in force together, as a view that is as old as that may have
// them, so that yes holds.
func (s *sound) qualifiedSince(t *setTruth, node string, then time.Time, yes func(qualified) bool) bool {
	states := s.nodes[node]
	for i := len(states) - 1; i >= 0; i-- {
		for _, ds := range t.specsSince(then) {
			var q qualified
			if n := states[i].node; n != nil {
				q.start, q.stay = may(ds, n)
			}
			if yes(q) {
				return true
			}
		}
		if states[i].since.Before(then) {
			break
		}
	}
	return false
}

// couldStart tells whether a Pod could start on a node at some time since then; mustLeave, whether one had to leave.
func (s *sound) couldStart(t *setTruth, node string, then time.Time) bool {
	return s.qualifiedSince(t, node, then, func(q qualified) bool { return q.start })
}

func (s *sound) mustLeave(t *setTruth, node string, then time.Time) bool {
	return s.qualifiedSince(t, node, then, func(q qualified) bool { return !q.stay })
}

// absent tells whether there was no such node at some time since then.
func (s *sound) absent(node string, then time.Time) bool {
	states := s.nodes[node]
	for i := len(states) - 1; i >= 0; i-- {
		if states[i].node == nil {
			return true
		}
		if states[i].since.Before(then) {
			return false
		}
	}
	return len(states) == 0 || states[0].since.After(epoch)
}

// alive tells whether the DaemonSet lived at some time since then.
func (t *setTruth) alive(then time.Time) bool { return t.gone.IsZero() || !t.gone.Before(then) }

// decided is told of each call that a controller starts.
func (s *sound) decided(r *Replica, c act.Call) {
	s.asked(r, c)
	met := s.w.met(decisionOf(c))
	for f := range faultCount {
		if s.w.recent.Has(f) && (f < CrashBefore || f > Slow) {
			met[f]++
		}
	}
	s.w.trace("decide", r.name, callName(c), decisionOf(c), 0)
	s.w.holds(Leadership, r.pilot.Synced(), func() string { return r.name + " decides before it has read everything" })
	for _, x := range r.watches {
		untold := s.w.API.After(x.kind, x.at)
		s.w.holds(Leadership, len(untold) == 0 || untold[0].Version > r.ledFrom, func() string {
			return fmt.Sprintf("%s decides without what happened to %s before it began to lead", r.name, x.kind)
		})
	}
}

// sent is told of each request that leaves a process.
func (s *sound) sent(r *Replica, q *request) {
	s.w.Stats.Requests++
	s.w.holds(Leadership, !r.lease.over(), func() string {
		return r.name + " sends " + q.verb + " " + q.name + " when its lease may be over"
	})
	if q.verb == "delete" || q.verb == "patch" {
		s.w.holds(ExactTarget, q.byUID, func() string { return fmt.Sprintf("%s: %s of %s whoever it is", r.name, q.verb, q.name) })
	}
	if q.verb == "delete" && q.kind == apimodel.Pods {
		s.w.holds(ExactTarget, q.guarded, func() string { return r.name + " deletes " + q.name + " whatever has become of it" })
	}
}
