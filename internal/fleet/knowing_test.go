package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// view is what a DaemonSet has to do with, written out: on each node, and beside the nodes.
type view struct {
	slots      map[string]string
	spec, rest string
	// data are what the revisions hold, each once.
	revisions, data string
}

// view works out from what there is what a DaemonSet should see.
func (c *cluster) view(ds *appsv1.DaemonSet) view {
	v := view{slots: map[string]string{}, spec: fmt.Sprintf("%s generation %d", ds.UID, ds.Generation)}
	selects := func(l map[string]string) bool { return l["app"] == ds.Spec.Selector.MatchLabels["app"] }
	on := map[string][]*Pod{}
	var orphans, released, astray []*Pod
	for _, p := range c.pods {
		own := p.Namespace == ds.Namespace && p.Owner == ds.UID && p.OwnerKind == DaemonSetKind
		switch {
		case p.Namespace == ds.Namespace && p.Owner == "" && selects(p.Labels):
			orphans = append(orphans, p)
		case own && !selects(p.Labels):
			released = append(released, p)
		case own && p.On == "":
			astray = append(astray, p)
		case own:
			on[p.On] = append(on[p.On], p)
		}
	}
	for name, n := range c.nodes {
		want := ds.Spec.Template.Spec.NodeSelector["disk"]
		v.slots[name] = fmt.Sprintf("node runs %v", want == "" || n.Labels["disk"] == want)
	}
	for name, pods := range on {
		if c.nodes[name] == nil {
			v.slots[name] = "no node"
		}
		v.slots[name] += podsText(pods)
	}
	kinds := map[PodKind]bool{}
	for _, p := range slices.Concat(append(slices.Collect(maps.Values(on)), astray)...) {
		kinds[PodKind{Hash: p.Labels["controller-revision-hash"], Older: p.Created.Time().Before(ds.CreationTimestamp.Time)}] = true
	}
	v.rest = "orphans" + podsText(orphans) + " to be released" + podsText(released) + " astray" + podsText(astray) + fmt.Sprint(kinds)
	data := map[string]string{}
	var all []string
	for _, k := range slices.SortedFunc(maps.Keys(c.revisions), byText) {
		r := c.revisions[k].Object
		if ref := metav1.GetControllerOf(r); r.Namespace == ds.Namespace && (ref != nil && ref.UID == ds.UID || ref == nil && selects(r.Labels)) {
			all = append(all, fmt.Sprintf("%s=%d %s", r.Name, r.Revision, r.Data.Raw))
			data[string(r.Data.Raw)] = ""
		}
	}
	v.revisions, v.data = strings.Join(all, ","), strings.Join(slices.Sorted(maps.Keys(data)), ",")
	return v
}

func podsText(pods []*Pod) string {
	out := ""
	for _, p := range slices.SortedFunc(slices.Values(pods), ComparePods) {
		out += fmt.Sprintf(" [%s %s %v ready %v ending %v %v]", p.Name, p.UID, p.Phase, p.Ready, p.Terminating, p.Labels)
	}
	return out
}

// seen is the same as a Fleet has it.
func seen(f *Fleet, d *Daemon) view {
	v := view{slots: map[string]string{}, spec: fmt.Sprintf("%s generation %d", d.UID, d.Object.Generation)}
	for _, s := range d.Slots() {
		text := "no node"
		if s.Node != nil {
			text = fmt.Sprintf("node runs %v", s.Verdict.ShouldRun())
		}
		v.slots[s.NodeName] = text + podsText(s.Pods)
	}
	kinds := map[PodKind]bool{}
	for k := range d.EachKind {
		kinds[k] = true
	}
	v.rest = "orphans" + podsText(f.Orphans(d)) + " to be released" + podsText(d.Mismatched()) + " astray" + podsText(d.Astray()) + fmt.Sprint(kinds)
	var all []string
	for _, r := range f.Revisions(d) {
		all = append(all, fmt.Sprintf("%s=%d %s", r.Name, r.Revision, r.Data.Raw))
	}
	slices.Sort(all)
	v.revisions = strings.Join(all, ",")
	return v
}

// observer tells a Fleet of changes, and checks what it makes of them.
type observer struct {
	*cluster
	f *Fleet
	// waits are the slots that wait for room, with what their nodes had left.
	waits map[types.NamespacedName]map[string]int64
	// since is from when minReadySeconds count for a Pod, and whether that is known.
	since map[types.UID]string
}

// Whatever comes, in watches, lists and answers: a Fleet knows what there is, and each DaemonSet that something concerns is looked at again,
// with the slots that it is about.
func TestAFleetKnowsWhatThereIs(t *testing.T) {
	for range 40 { // a check takes a millisecond
		rapid.Check(t, func(t *rapid.T) {
			o := &observer{cluster: newCluster(t), f: newFleet(), waits: map[types.NamespacedName]map[string]int64{}, since: map[types.UID]string{}}
			for range rapid.IntRange(10, 60).Draw(t, "steps") {
				o.step()
			}
		})
	}
}

func (o *observer) step() {
	before := map[types.NamespacedName]view{}
	for k, ds := range o.daemons {
		before[k] = o.view(ds)
	}
	o.now = o.now.Add(time.Minute)
	what := o.change()
	later := o.f.Later()
	dirty := map[types.NamespacedName]bool{}
	for _, d := range o.f.Dirty() {
		dirty[d.Key] = true
	}
	for k, ds := range o.daemons {
		d := o.f.Daemon(k)
		if d == nil {
			o.t.Fatalf("%s: %s is not known", what, k)
		}
		is := o.view(ds)
		o.same(what, k, is, seen(o.f, d))
		o.concerned(what, d, before[k], is, dirty[k], slices.Contains(later, d.UID))
	}
	if nodes, daemons, pods, revisions := o.f.Sizes(); nodes != len(o.nodes) || daemons != len(o.daemons) || pods != len(o.pods) || revisions != len(o.revisions) {
		o.t.Fatalf("%s: known are %d nodes, %d DaemonSets, %d Pods, %d revisions", what, nodes, daemons, pods, revisions)
	}
	o.clocks(what)
	o.wait()
}

// same wants what is known to be what there is.
func (o *observer) same(what string, k types.NamespacedName, is, known view) {
	if !maps.Equal(is.slots, known.slots) || is.spec != known.spec || is.rest != known.rest || is.revisions != known.revisions {
		o.t.Fatalf("%s: %s sees\n%s\n%v\n%s\n%s\nand there is\n%s\n%v\n%s\n%s", what, k, known.spec, known.slots, known.rest, known.revisions, is.spec, is.slots, is.rest, is.revisions)
	}
}

// concerned wants a DaemonSet to be looked at again if something changed for it. A node that neither has nor should have its Pod changes nothing.
func (o *observer) concerned(what string, d *Daemon, was, is view, dirty, later bool) {
	changed := map[string]bool{}
	for _, s := range d.Changed() {
		changed[s.NodeName] = true
	}
	whole := was.spec != is.spec // all slots are looked at then
	for _, name := range []string{"n1", "n2", "n3", "n4"} {
		before, now := was.slots[name], is.slots[name]
		if before != now && before+now != "node runs false" && (!dirty || (!changed[name] && !whole)) {
			o.t.Fatalf("%s: %s on %s was %q and is %q; looked at: %v, the slot: %v", what, d.Key, name, before, now, dirty, changed[name])
		}
	}
	if was.spec+was.rest != is.spec+is.rest && !dirty {
		o.t.Fatalf("%s: %s was %s, %s and is %s, %s, and is not looked at", what, d.Key, was.spec, was.rest, is.spec, is.rest)
	}
	if was.revisions != is.revisions && !dirty && (!later || was.data != is.data) {
		o.t.Fatalf("%s: %s had the revisions %s and has %s, and is not looked at", what, d.Key, was.revisions, is.revisions)
	}
	for node, left := range o.waits[d.Key] {
		if now, ok := o.room(node); (!ok || now != left) && !whole && (!dirty || !changed[node]) {
			o.t.Fatalf("%s: %s waits for room on %s, which had %d left and has %d, and is not looked at", what, d.Key, node, left, now)
		}
	}
}

// wait has some slots wait for room.
func (o *observer) wait() {
	for _, d := range o.f.Daemons() {
		o.waits[d.Key] = map[string]int64{}
		for _, s := range d.Slots() {
			if left, ok := o.room(s.NodeName); ok && oneOf(o.t, "waits", true, false) {
				o.f.Wait(d, s.NodeName)
				o.waits[d.Key][s.NodeName] = left
			}
		}
	}
}
