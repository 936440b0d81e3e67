package fleet

import (
	"fmt"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// cluster is what there is: the facts that a Fleet is told of, as they are now.
type cluster struct {
	t         *rapid.T
	version   Version
	now       time.Time
	nodes     map[string]*Node
	daemons   map[types.NamespacedName]*appsv1.DaemonSet
	pods      map[types.NamespacedName]*Pod
	revisions map[types.NamespacedName]*Revision
}

func newCluster(t *rapid.T) *cluster {
	return &cluster{
		t: t, now: t0, nodes: map[string]*Node{}, daemons: map[types.NamespacedName]*appsv1.DaemonSet{},
		pods: map[types.NamespacedName]*Pod{}, revisions: map[types.NamespacedName]*Revision{},
	}
}

func (c *cluster) next() Version { c.version++; return c.version }

func oneOf[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

// key is a name in one of two namespaces.
func (c *cluster) key(names ...string) types.NamespacedName {
	return types.NamespacedName{Namespace: oneOf(c.t, "namespace", "x", "x", "y"), Name: oneOf(c.t, "name", names...)}
}

// labels are what some of the DaemonSets select.
func (c *cluster) labels() map[string]string {
	return oneOf(c.t, "labels", nil, map[string]string{"app": "a"}, map[string]string{"app": "b"}, map[string]string{"app": "a", "controller-revision-hash": "h"})
}

// owner is the UID of a DaemonSet, of one that never was, or nobody's.
func (c *cluster) owner() types.UID {
	all := []types.UID{"", "", "uid-of-none"}
	for _, k := range slices.SortedFunc(maps.Keys(c.daemons), byText) {
		all = append(all, c.daemons[k].UID, c.daemons[k].UID)
	}
	return oneOf(c.t, "owner", all...)
}

func byText(a, b types.NamespacedName) int {
	return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
}

// node makes a node, or changes the one of that name.
func (c *cluster) node() *Node {
	name := oneOf(c.t, "node", "n1", "n2", "n3")
	n := &Node{Name: name, UID: types.UID(fmt.Sprint("uid-", name, "-", c.next())), Version: c.version}
	if old := c.nodes[name]; old != nil && oneOf(c.t, "same node", true, true, true, false) {
		n.UID = old.UID
	}
	n.Labels = oneOf(c.t, "disk", nil, map[string]string{"disk": "ssd"})
	n.Allocatable = Resources{MilliCPU: oneOf(c.t, "cpu", int64(1000), 2000)}
	c.nodes[name] = n
	return n
}

// daemon makes a DaemonSet or changes it.
func (c *cluster) daemon() *appsv1.DaemonSet {
	key := c.key("d1", "d2")
	ds := daemonSet(key.Name, oneOf(c.t, "where", nil, map[string]string{"disk": "ssd"}))
	ds.Namespace, ds.UID, ds.CreationTimestamp.Time = key.Namespace, types.UID(fmt.Sprint("uid-", c.next())), c.now
	ds.Spec.Selector.MatchLabels = map[string]string{"app": oneOf(c.t, "selects", "a", "b")}
	if old := c.daemons[key]; old != nil && oneOf(c.t, "same DaemonSet", true, true, true, false) {
		ds.UID, ds.CreationTimestamp, ds.Generation = old.UID, old.CreationTimestamp, old.Generation+1
	}
	ds.ResourceVersion = fmt.Sprint(c.version)
	c.daemons[key] = ds
	return ds
}

// pod makes a Pod or changes it.
func (c *cluster) pod() *Pod {
	key := c.key("p1", "p2", "p3", "p4")
	p := &Pod{Name: key.Name, UID: types.UID(fmt.Sprint("uid-", c.next())), Version: c.version, Created: StampOf(c.now)}
	p.Shape = &Shape{Namespace: key.Namespace, Owner: c.owner(), Labels: c.labels(), Requests: Resources{MilliCPU: oneOf(c.t, "requests", int64(0), 100)}}
	switch p.Owner {
	case "":
	case "uid-of-none":
		p.OwnerKind = "ReplicaSet"
	default:
		p.OwnerKind = DaemonSetKind
	}
	on := oneOf(c.t, "on", "n1", "n2", "n3", "n4")
	if oneOf(c.t, "bound", true, true, false) {
		p.On, p.Bound = on, true
	} else {
		p.On = oneOf(c.t, "target", on, "")
	}
	p.Phase, p.Terminating = oneOf(c.t, "phase", PhaseRunning, PhaseRunning, PhaseFailed), oneOf(c.t, "ending", false, false, true)
	if old := c.pods[key]; old != nil && oneOf(c.t, "same Pod", true, true, true, false) {
		p.UID, p.Created, p.ReadyStamp, p.Terminating = old.UID, old.Created, old.ReadyStamp, p.Terminating || old.Terminating
		if old.Terminal() {
			p.Phase = old.Phase
		}
		if old.Bound {
			p.On, p.Bound = old.On, true
		}
	}
	if p.Ready = p.Phase == PhaseRunning && oneOf(c.t, "ready", true, false); !p.Ready {
		p.ReadyStamp = 0
	} else if p.ReadyStamp == 0 {
		p.ReadyStamp = StampOf(c.now.Add(oneOf(c.t, "kubelet's clock", -time.Hour, 0, time.Hour)))
	}
	c.pods[key] = p
	return known(p, p.Version)
}

// revision makes a ControllerRevision or changes it.
func (c *cluster) revision() *Revision {
	key := c.key("r1", "r2", "r3")
	o := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: types.UID(fmt.Sprint("uid-", c.next())), Labels: c.labels()}}
	if owner := c.owner(); owner != "" {
		o.OwnerReferences = []metav1.OwnerReference{{UID: owner, Kind: DaemonSetKind, Controller: ptr.To(true)}}
	}
	if old := c.revisions[key]; old != nil && oneOf(c.t, "same revision", true, true, true, false) {
		o.UID = old.Object.UID
	}
	o.Revision, o.Data = int64(oneOf(c.t, "number", 1, 2, 3)), runtime.RawExtension{Raw: []byte(oneOf(c.t, "data", "{}", "{1}", "{2}"))}
	c.revisions[key] = &Revision{Object: o, Version: c.version}
	return c.revisions[key]
}

// took is the sum of what running Pods take on a node, whoever's they are.
func (c *cluster) took(node string) (cpu int64) {
	for _, p := range c.pods {
		if p.Node() == node && !p.Terminal() {
			cpu += p.Requests.MilliCPU
		}
	}
	return cpu
}

// room is what a node has left; ok is false where there is no such node.
func (c *cluster) room(node string) (cpu int64, ok bool) {
	n := c.nodes[node]
	if n == nil {
		return 0, false
	}
	return n.Allocatable.MilliCPU - c.took(node), true
}
