package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/revision"
)

// keeping is a cluster with little room, and a Book for each of its DaemonSets.
type keeping struct {
	t     *rapid.T
	fleet *fleet.Fleet
	books map[types.UID]*Book
	pods  map[string]*corev1.Pod
	now   time.Time
	rv    fleet.Version
	place Placement
}

// TestABookKeepsWhatComputeFinds: after any events, the plan that is kept by difference is the one found from scratch, though room
// and ports are scarce, and what the fleet keeps beside the facts is what a count of them gives.
func TestABookKeepsWhatComputeFinds(t *testing.T) {
	for range 20 { // a check takes a millisecond, and some orders are rare
		rapid.Check(t, aBookKeepsWhatComputeFinds)
	}
}

func aBookKeepsWhatComputeFinds(t *rapid.T) {
	k := &keeping{
		t: t, fleet: fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) }), books: map[types.UID]*Book{}, pods: map[string]*corev1.Pod{}, now: epoch,
		place: rapid.SampledFrom([]Placement{Direct, Direct, Scheduler}).Draw(t, "placement"),
	}
	for i := range 3 {
		k.node(fmt.Sprint("n", i))
	}
	k.daemonSet("d")
	k.daemonSet("e")
	steps := []func(){k.aNode, k.noNode, k.aPod, k.aPod, k.aPod, k.noPod, k.aDaemonSet, k.aRevision, k.later, k.aCall, k.aRefusal}
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		rapid.SampledFrom(steps).Draw(t, "step")()
		k.compare()
	}
}

// compare updates the Books of all that is dirty, as the engine does.
func (k *keeping) compare() {
	for _, d := range k.fleet.Dirty() {
		b := k.books[d.UID]
		if b == nil {
			b = NewBook()
			k.books[d.UID] = b
		}
		in := Input{Daemon: d, Revisions: k.fleet.Revisions(d), Orphans: k.fleet.Orphans(d), Changed: d.Changed(), Now: k.now, Placement: k.place}
		if err := b.Update(in); err != nil {
			k.t.Fatal(err)
		}
		scratch, err := Compute(in)
		if err != nil {
			k.t.Fatal(err)
		}
		pulls := rapid.IntRange(0, 3).Draw(k.t, "pulls")
		for _, g := range b.Groups() {
			for range g {
				if pulls--; pulls < 0 {
					break
				}
			}
		}
		kept := b.Full()
		if got, want := textOf(kept), textOf(scratch); got != want {
			k.t.Fatalf("%s is kept as\n%s\nand found as\n%s", d.Key, got, want)
		}
		k.noneIsForgotten(d, kept)
		k.theNumbersStand(d, kept)
		k.noneIsDroppedThatIsWorn(d, kept)
		k.aRealOneStays(d, kept)
		for _, w := range kept.Waits {
			if w.Reason.Code == fleet.NoRoom || w.Reason.Code == fleet.PortTaken {
				k.fleet.Wait(d, w.Node)
			}
		}
		k.recount(d)
	}
}

// textOf shows a plan. A Book remembers for whom there was no room when their turn came; who looks for the first time does not
// know that of those whose turn has not come.
func textOf(p Plan) string {
	out := []string{}
	for _, w := range p.Waits {
		switch w.Reason.Code {
		case fleet.NoRoom, fleet.PortTaken, fleet.BudgetUsed, fleet.DryRunFirst:
			w.Reason, w.Until = fleet.Reason{Code: "RoomOrTurn"}, time.Time{}
		}
		out = append(out, fmt.Sprintf("wait %s %s %v", w.Node, w.Reason, w.Until))
	}
	slices.Sort(out)
	head := fmt.Sprintf("%s %+v %+v next %v\n", p.Hash, p.Counts, p.Budget, p.Next)
	for _, a := range p.Actions {
		head += fmt.Sprintf("%s %s %s %s\n", a.Kind, a.Node, a.Name, a.Reason)
	}
	return head + strings.Join(out, "\n")
}

// recount compares what the fleet keeps of a DaemonSet with a count.
func (k *keeping) recount(d *fleet.Daemon) {
	hashes, kinds := map[string]bool{}, map[string]bool{}
	for p := range d.EachPod {
		hashes[p.Hash()] = true
	}
	for kind := range d.EachKind {
		kinds[kind.Hash] = true
	}
	if !maps.Equal(hashes, kinds) {
		k.t.Fatalf("%s: the Pods wear %v, and %v are counted", d.Key, hashes, kinds)
	}
	var orphans []string
	for _, p := range k.pods {
		if len(p.OwnerReferences) == 0 && d.Matches(p.Labels) {
			orphans = append(orphans, p.Name)
		}
	}
	slices.Sort(orphans)
	var known []string
	for _, p := range k.fleet.Orphans(d) {
		known = append(known, p.Name)
	}
	slices.Sort(known)
	if !slices.Equal(orphans, known) {
		k.t.Fatalf("%s: the orphans are %v, and %v are known", d.Key, orphans, known)
	}
}

func (k *keeping) version() fleet.Version { k.rv++; return k.rv }

func (k *keeping) draw(name string, n int) int { return rapid.IntRange(0, n-1).Draw(k.t, name) }

func (k *keeping) node(name string) {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID(name + fmt.Sprint(k.draw("node uid", 2))),
		Labels: map[string]string{"role": fmt.Sprint(k.draw("role", 3)), corev1.LabelTopologyZone: fmt.Sprint(k.draw("zone", 2))},
	}}
	n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(fmt.Sprint(k.draw("cpu", 4))), corev1.ResourcePods: resource.MustParse("3")}
	if k.draw("tainted", 4) == 0 {
		n.Spec.Taints = []corev1.Taint{{Key: "k", Effect: []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute}[k.draw("effect", 2)]}}
	}
	k.fleet.ApplyNode(fleet.NewNode(n, k.version()), k.now)
}

func (k *keeping) aNode() { k.node(fmt.Sprint("n", k.draw("node", 4))) }

func (k *keeping) noNode() {
	k.fleet.DeleteNode(fmt.Sprint("n", k.draw("node", 4)), k.version(), k.now)
}

// daemonSet makes or changes a DaemonSet.
func (k *keeping) daemonSet(name string) {
	surge, unavailable := intstr.FromInt32(int32(k.draw("surge", 2))), intstr.FromString([]string{"1", "50%", "100%"}[k.draw("unavailable", 3)])
	if unavailable.StrVal == "1" {
		unavailable = intstr.FromInt32(1)
	}
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID("uid-" + name), Generation: int64(k.rv) + 1}}
	ds.Spec = appsv1.DaemonSetSpec{
		MinReadySeconds: int32(k.draw("minReady", 2) * 5), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
		UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxSurge: &surge, MaxUnavailable: &unavailable}},
	}
	ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: fmt.Sprint(k.draw("template", 3))}
	if k.draw("strategy", 6) == 0 {
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
	}
	c := corev1.Container{Name: "c", Image: fmt.Sprint("i", k.draw("image", 2))}
	c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(fmt.Sprint(k.draw("request", 3)))}
	if k.draw("port", 3) == 0 {
		c.Ports = []corev1.ContainerPort{{HostPort: 80, ContainerPort: 80}}
	}
	ds.Spec.Template = corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}}, Spec: corev1.PodSpec{Containers: []corev1.Container{c}}}
	if k.draw("picky", 3) == 0 {
		ds.Spec.Template.Spec.NodeSelector = map[string]string{"role": "0"}
	}
	k.fleet.ApplyDaemon(ds, k.version(), false, k.now)
	if k.draw("no history yet", 5) > 0 {
		k.revision(ds)
	}
}

func (k *keeping) revision(ds *appsv1.DaemonSet) {
	d := k.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: ds.Name})
	h, err := revision.Reconcile(ds, k.fleet.Revisions(d), "")
	if err != nil {
		k.t.Fatal(err)
	}
	for _, c := range h.Changes {
		if c.Kind == revision.Create {
			r := c.Revision.DeepCopy()
			r.UID = types.UID(r.Name)
			k.fleet.ApplyRevision(r, k.version())
		}
	}
}

func (k *keeping) aDaemonSet() { k.daemonSet([]string{"d", "e"}[k.draw("daemonset", 2)]) }

func (k *keeping) aRevision() {
	d := k.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: "d"})
	list, what := k.fleet.Revisions(d), k.draw("revision", 4)
	if len(list) == 0 || what == 0 {
		k.revision(d.Object)
		return
	}
	r := list[k.draw("which", len(list))].DeepCopy()
	switch what {
	case 1: // lost
		k.fleet.DeleteRevision(types.NamespacedName{Namespace: "default", Name: r.Name}, r.UID, k.version())
		return
	case 2: // a copy
		hash := fmt.Sprint("copy", k.draw("copy", 2))
		r.Name, r.UID, r.Revision = "d-"+hash, types.UID(hash), r.Revision+int64(k.draw("number", 2))
		r.Labels = maps.Clone(r.Labels)
		r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = hash
	default: // one that says something else than it did
		r.Data.Raw = []byte(strings.Replace(string(r.Data.Raw), `"image":"i`, `"image":"j`, 1))
	}
	k.fleet.ApplyRevision(r, k.version())
}

func (k *keeping) later() {
	k.now = k.now.Add(time.Duration(rapid.SampledFrom([]int{1, 3, 5, 60, -2}).Draw(k.t, "seconds")) * time.Second)
	for _, d := range k.fleet.Daemons() {
		k.fleet.Touch(d.Key)
	}
}
