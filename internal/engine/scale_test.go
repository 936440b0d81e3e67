package engine

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
)

var (
	scaleNodes = flag.Int("scale-nodes", 5000, "nodes of BenchmarkScale")
	scaleSets  = flag.Int("scale-daemonsets", 20, "DaemonSets of BenchmarkScale")
)

// scale is a large cluster, fed as watches would feed it. Objects are made one at a time and can go as soon as they are read.
type scale struct {
	*Pilot
	b      *testing.B
	stores map[feed.Kind]feed.Store
	now    time.Time
	rv     int
	sets   []*appsv1.DaemonSet
	hashes []string
}

func newScale(b *testing.B) *scale {
	s := &scale{b: b, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), stores: map[feed.Kind]feed.Store{}}
	s.Pilot = NewPilot(NewCore(plan.Direct, func(*appsv1.DaemonSet, report.Event, time.Time) {}, mute{}))
	fail := func(kind feed.Kind, err error) { b.Errorf("%s: %v", kind, err) }
	for _, kind := range feed.Kinds {
		s.stores[kind] = feed.NewStore(kind, feed.Options{Target: match.Target, OnError: fail}, func(e feed.Event) { s.Take(e, s.now) })
		if err := s.stores[kind].Replace(nil, "0"); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func (s *scale) version() string { s.rv++; return fmt.Sprint(s.rv) }

func (s *scale) add(kind feed.Kind, o metav1.Object) {
	o.SetResourceVersion(s.version())
	if sent, ok := o.(interface {
		Marshal() ([]byte, error)
		Unmarshal([]byte) error
		Reset()
	}); ok { // each object comes with texts of its own
		raw, err := sent.Marshal()
		if err != nil {
			s.b.Fatal(err)
		}
		sent.Reset()
		if err := sent.Unmarshal(raw); err != nil {
			s.b.Fatal(err)
		}
	}
	if err := s.stores[kind].Add(o); err != nil {
		s.b.Fatal(err)
	}
}

func (s *scale) node(i int) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("ip-10-%d-%d-%d.internal", i>>16, i>>8&255, i&255), UID: uuid.NewUUID()}}
	n.Labels = map[string]string{
		"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": n.Name, "node.kubernetes.io/instance-type": "m6i.4xlarge",
		"topology.kubernetes.io/region": "eu-central-1", "topology.kubernetes.io/zone": zone(i),
		"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "pool": "general",
	}
	n.Status.Allocatable = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("16"), corev1.ResourceMemory: resource.MustParse("64Gi"), corev1.ResourcePods: resource.MustParse("110"), corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
	}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	return n
}

func zone(i int) string { return "eu-central-1" + string(rune('a'+i%3)) }

func (s *scale) daemonSet(j int) *appsv1.DaemonSet {
	name, tenth := fmt.Sprint("agent-", j), intstr.FromString("10%")
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name, UID: uuid.NewUUID(), Generation: 1}}
	ds.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &tenth}}
	ds.Spec.Template.Labels = map[string]string{"app": name, "tier": "node"}
	ds.Spec.Template.Spec.Containers = []corev1.Container{{Name: "agent", Image: "agent:1", Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
	}}}
	return ds
}

func (s *scale) pod(j, i int, ready bool) *corev1.Pod {
	ds := s.sets[j]
	pod := plan.NewPod(ds, s.hashes[j], fmt.Sprintf("ip-10-%d-%d-%d.internal", i>>16, i>>8&255, i&255), fmt.Sprintf("%s-%05x%05d", ds.Name, i, j), plan.Direct)
	pod.UID = types.UID(fmt.Sprintf("%08x-%04x-4000-8000-%012x", i, j, i))
	pod.CreationTimestamp = metav1.Time{Time: s.now.Add(-time.Hour)}
	pod.Status.Phase = corev1.PodRunning
	// The API server copies these from the node (KEP-4742).
	pod.Labels["topology.kubernetes.io/region"], pod.Labels["topology.kubernetes.io/zone"] = "eu-central-1", zone(i)
	if ready {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Time{Time: s.now.Add(-time.Hour)}}}
	}
	return pod
}

func (s *scale) history(ds *appsv1.DaemonSet) string {
	h, err := revision.Reconcile(ds, s.Fleet.Revisions(s.Fleet.Daemon(types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name})), "")
	if err != nil {
		s.b.Fatal(err)
	}
	hash := ""
	for _, c := range h.Changes {
		r := c.Revision.DeepCopy()
		r.UID = uuid.NewUUID()
		s.add(feed.Revisions, r)
		hash = revision.HashOf(r)
	}
	return hash
}

// heap is what is in use after a collection, in bytes.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkScale feeds a large cluster at rest through feed, fleet and plan: what a node, a slot and a Pod take in memory, how long an
// event, the plan after it, and the plan after a new template take.
//
//	go test ./internal/engine -run - -bench Scale -benchtime 1x -scale-nodes 130000 -scale-daemonsets 20
func BenchmarkScale(b *testing.B) {
	for range b.N {
		s, empty, start := newScale(b), heap(), time.Now()
		for i := range *scaleNodes {
			s.add(feed.Nodes, s.node(i))
		}
		nodes := heap()
		for j := range *scaleSets {
			s.sets = append(s.sets, s.daemonSet(j))
			s.add(feed.DaemonSets, s.sets[j])
			s.hashes = append(s.hashes, s.history(s.sets[j]))
		}
		slots := heap()
		for i := range *scaleNodes {
			for j := range *scaleSets {
				s.add(feed.Pods, s.pod(j, i, true))
			}
		}
		fed := time.Since(start)
		pods, start := heap(), time.Now()
		s.Decide(s.now, time.Now)
		n := float64(*scaleNodes)
		all := n * float64(*scaleSets)
		b.ReportMetric((nodes-empty)/n, "B/node")
		b.ReportMetric((slots-nodes)/all, "B/slot")
		b.ReportMetric((pods-slots)/all, "B/Pod")
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/first-plans")
		b.ReportMetric((heap()-empty)/(1<<20), "MiB")
		b.ReportMetric(fed.Seconds()/(all+n)*1e6, "µs/object")
		s.events(b)
	}
}

// events measures what comes after.
func (s *scale) events(b *testing.B) {
	const flips = 10000
	var took, planned time.Duration
	for k := range flips {
		pod := s.pod(k%len(s.sets), k*7919%*scaleNodes, k%2 == 1)
		start := time.Now()
		s.add(feed.Pods, pod)
		took += time.Since(start)
		start = time.Now()
		s.Decide(s.now, time.Now)
		planned += time.Since(start)
	}
	b.ReportMetric(float64(took.Nanoseconds())/flips/1e3, "µs/event")
	b.ReportMetric(float64(planned.Nanoseconds())/flips/1e3, "µs/plan")
	ds := s.sets[0].DeepCopy()
	ds.Generation, ds.Spec.Template.Spec.Containers[0].Image = 2, "agent:2"
	start := time.Now()
	s.add(feed.DaemonSets, ds)
	s.history(ds)
	s.Decide(s.now, time.Now)
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/template")
}
