package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Labels of the DaemonSets' Pods.
const (
	// DaemonLabel is the DaemonSet's name.
	DaemonLabel = "bench.everynode.dev/daemon"
	// VersionLabel is which template a Pod was made from.
	VersionLabel = "bench.everynode.dev/version"
)

// Mirror follows Pods and nodes by watches and keeps counts, so that a condition costs nothing per Pod.
type Mirror struct {
	mu      sync.Mutex
	daemons map[string]*Daemon
	nodes   map[string]nodeState
	ready   int // nodes that are Ready
	tainted int // nodes with any taint
	lost    int // times that a node turned from Ready to not
	waiters []*waiter
}

// Daemon is what there is of one DaemonSet's Pods.
type Daemon struct {
	// Pods is how many exist; Ready are those of them that are Ready and not being deleted.
	Pods, Ready int
	// ReadyOf counts Ready by version.
	ReadyOf map[string]int
	// Made counts all Pods that have ever been seen; Flips how often one turned from Ready to not while it lived.
	Made, Flips int
	// NodesReady counts Ready by node.
	NodesReady map[string]int
}

type nodeState struct{ ready, tainted bool }

type waiter struct {
	when func(View) bool
	met  chan time.Time
}

// View is what a condition may ask.
type View struct{ m *Mirror }

// Daemon is what there is of the DaemonSet's Pods.
func (v View) Daemon(name string) Daemon {
	if d := v.m.daemons[name]; d != nil {
		return *d
	}
	return Daemon{}
}

// ReadyNodes is how many nodes are Ready, TaintedNodes how many have a taint.
func (v View) ReadyNodes() int { return v.m.ready }

// TaintedNodes is how many nodes have a taint.
func (v View) TaintedNodes() int { return v.m.tainted }

// newMirror starts the watches, which end with life, and waits until they have caught up.
func newMirror(ctx, life context.Context, client kubernetes.Interface) (*Mirror, error) {
	m := &Mirror{daemons: map[string]*Daemon{}, nodes: map[string]nodeState{}}
	rest := client.CoreV1().RESTClient()
	_, nodes := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(cache.NewListWatchFromClient(rest, "nodes", metav1.NamespaceAll, fields.Everything()), client),
		ObjectType:    &corev1.Node{}, Transform: slim, Handler: handler(m.node),
	})
	_, pods := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(cache.NewListWatchFromClient(rest, "pods", Namespace, fields.Everything()), client),
		ObjectType:    &corev1.Pod{}, Transform: slim, Handler: handler(m.pod),
	})
	go nodes.RunWithContext(life)
	go pods.RunWithContext(life)
	limited, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if !cache.WaitForCacheSync(limited.Done(), nodes.HasSynced, pods.HasSynced) {
		return nil, errors.New("the benchmark's own watches of nodes and Pods did not start")
	}
	return m, nil
}

// handler tells of each change as a pair of which one may be nil.
func handler[T any](tell func(before, after *T)) cache.ResourceEventHandlerFuncs {
	as := func(o any) *T {
		if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
			o = last.Obj
		}
		t, _ := o.(*T)
		return t
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { tell(nil, as(o)) },
		UpdateFunc: func(before, after any) { tell(as(before), as(after)) },
		DeleteFunc: func(o any) { tell(as(o), nil) },
	}
}

// slim keeps what the mirror counts.
func slim(o any) (any, error) {
	switch o := o.(type) {
	case *corev1.Pod:
		o.ManagedFields, o.Annotations, o.OwnerReferences = nil, nil, nil
		o.Spec = corev1.PodSpec{NodeName: o.Spec.NodeName}
		o.Status = corev1.PodStatus{Conditions: o.Status.Conditions}
	case *corev1.Node:
		o.ManagedFields, o.Annotations, o.Labels = nil, nil, nil
		o.Status = corev1.NodeStatus{Conditions: o.Status.Conditions}
	}
	return o, nil
}

func (m *Mirror) node(before, after *corev1.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before != nil {
		s := m.nodes[before.Name]
		m.ready, m.tainted = m.ready-one(s.ready), m.tainted-one(s.tainted)
		m.lost += one(s.ready && after != nil && !nodeReady(after))
		delete(m.nodes, before.Name)
	}
	if after != nil {
		s := nodeState{ready: nodeReady(after), tainted: len(after.Spec.Taints) > 0}
		m.ready, m.tainted = m.ready+one(s.ready), m.tainted+one(s.tainted)
		m.nodes[after.Name] = s
	}
	m.wake()
}

func (m *Mirror) pod(before, after *corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before != nil {
		m.add(before, -1)
	}
	if after != nil {
		d := m.add(after, 1)
		d.Made += one(before == nil)
		d.Flips += one(before != nil && serving(before) && !serving(after) && after.DeletionTimestamp == nil)
	}
	m.wake()
}

// add counts a Pod in or out.
func (m *Mirror) add(p *corev1.Pod, n int) *Daemon {
	d := m.daemons[p.Labels[DaemonLabel]]
	if d == nil {
		d = &Daemon{ReadyOf: map[string]int{}, NodesReady: map[string]int{}}
		m.daemons[p.Labels[DaemonLabel]] = d
	}
	d.Pods += n
	if serving(p) {
		d.Ready += n
		d.ReadyOf[p.Labels[VersionLabel]] += n
		d.NodesReady[p.Spec.NodeName] += n
	}
	return d
}

// wake tells those whose condition has become true.
func (m *Mirror) wake() {
	now := time.Now()
	m.waiters = slices.DeleteFunc(m.waiters, func(w *waiter) bool {
		if !w.when(View{m}) {
			return false
		}
		w.met <- now
		return true
	})
}

// Wait waits until the condition holds and tells since when.
func (m *Mirror) Wait(ctx context.Context, when func(View) bool) (time.Time, error) {
	w := &waiter{when: when, met: make(chan time.Time, 1)}
	m.mu.Lock()
	m.waiters = append(m.waiters, w)
	m.wake()
	m.mu.Unlock()
	select {
	case at := <-w.met:
		return at, nil
	case <-ctx.Done():
		m.mu.Lock()
		defer m.mu.Unlock()
		m.waiters = slices.DeleteFunc(m.waiters, func(other *waiter) bool { return other == w })
		return time.Time{}, fmt.Errorf("%w; there are %s", ctx.Err(), m.summary())
	}
}

// Look gives the counts of one DaemonSet as they are now, apart from the maps.
func (m *Mirror) Look(name string) Daemon {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := View{m}.Daemon(name)
	d.ReadyOf, d.NodesReady = nil, nil
	return d
}

// NodesLost is how often a node has turned from Ready to not: the machine was too busy for its kubelet.
func (m *Mirror) NodesLost() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lost
}

// NodeNames are the names of all nodes, sorted.
func (m *Mirror) NodeNames() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.nodes))
}

// summary is for errors.
func (m *Mirror) summary() string {
	pods, ready := 0, 0
	for _, d := range m.daemons {
		pods, ready = pods+d.Pods, ready+d.Ready
	}
	return fmt.Sprintf("%d Pods, %d of them Ready, and %d nodes, %d of them Ready and %d tainted", pods, ready, len(m.nodes), m.ready, m.tainted)
}

func serving(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
