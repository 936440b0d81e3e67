package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/test/harness"
)

// limit is how long anything may take on a busy machine.
const limit = 60 * time.Second

// world is one scenario's cluster: a namespace and the nodes.
type world struct {
	*testing.T
	lab       *harness.Lab
	namespace string
	placement string
	strategy  appsv1.DaemonSetUpdateStrategy
	beaten    time.Time // the last heartbeat of the nodes
}

func newWorld(t *testing.T, lab *harness.Lab, placement string, strategy appsv1.DaemonSetUpdateStrategy) *world {
	t.Helper()
	ns, err := lab.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "scenario-"},
	}, metav1.CreateOptions{})
	w := &world{T: t, lab: lab, placement: placement, strategy: strategy}
	w.must(err)
	w.namespace = ns.Name
	t.Cleanup(w.clear)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) direct() bool { return w.placement == "direct" }

// nodeName makes names that no other scenario uses.
func (w *world) nodeName(short string) string { return w.namespace + "-" + short }

// node is a Ready node with room for a hundred Pods.
func (w *world) node(short string, change ...func(*corev1.Node)) *corev1.Node {
	w.Helper()
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: w.nodeName(short)},
		Status: corev1.NodeStatus{
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now()}},
			Allocatable: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("100")},
		},
	}
	for _, f := range change {
		f(node)
	}
	created, err := w.lab.Client.CoreV1().Nodes().Create(w.Context(), node, metav1.CreateOptions{})
	w.must(err)
	return created
}

func tainted(key string) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule})
	}
}

// daemonSet creates one with the scenario's strategy.
func (w *world) daemonSet(name string, change ...func(*appsv1.DaemonSet)) {
	w.Helper()
	labels := map[string]string{"name": name}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DaemonSetSpec{
			RevisionHistoryLimit: ptr.To[int32](2),
			Selector:             &metav1.LabelSelector{MatchLabels: labels},
			UpdateStrategy:       w.strategy,
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers:                    []corev1.Container{{Name: "main", Image: "example.test/daemon"}},
					TerminationGracePeriodSeconds: ptr.To[int64](0),
				},
			},
		},
	}
	for _, f := range change {
		f(ds)
	}
	_, err := w.lab.Client.AppsV1().DaemonSets(w.namespace).Create(w.Context(), ds, metav1.CreateOptions{})
	w.must(err)
}

func (w *world) get(name string) *appsv1.DaemonSet {
	w.Helper()
	ds, err := w.lab.Client.AppsV1().DaemonSets(w.namespace).Get(w.Context(), name, metav1.GetOptions{})
	w.must(err)
	return ds
}

func (w *world) update(name string, change func(*corev1.PodTemplateSpec)) {
	w.Helper()
	w.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		ds := w.get(name)
		change(&ds.Spec.Template)
		_, err := w.lab.Client.AppsV1().DaemonSets(w.namespace).Update(w.Context(), ds, metav1.UpdateOptions{})
		return err
	}))
}

// pods are the DaemonSet's, in the order of their names. All Pods that its selector finds must be controlled by it.
func (w *world) pods(name string) []corev1.Pod {
	w.Helper()
	list, err := w.lab.Client.CoreV1().Pods(w.namespace).List(w.Context(), metav1.ListOptions{LabelSelector: "name=" + name})
	w.must(err)
	for _, pod := range list.Items {
		if len(pod.OwnerReferences) != 1 || pod.OwnerReferences[0].Kind != "DaemonSet" || !ptr.Deref(pod.OwnerReferences[0].Controller, false) {
			w.Fatalf("Pod %s has the owners %v; want the DaemonSet as its controller", pod.Name, pod.OwnerReferences)
		}
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return list.Items
}

// active are the Pods that have not ended and are not ending.
func (w *world) active(name string) []corev1.Pod {
	w.Helper()
	return slices.DeleteFunc(w.pods(name), func(pod corev1.Pod) bool { return ended(&pod) || pod.DeletionTimestamp != nil })
}

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// counts are what a scenario wants: the Pods that there are, and what the status says of them.
type counts struct{ pods, desired, current, ready, updated int }

// all is n of everything.
func all(n int) counts { return counts{n, n, n, n, n} }

func (c counts) String() string {
	return fmt.Sprintf("%d Pods; status: %d desired, %d current, %d ready, %d updated", c.pods, c.desired, c.current, c.ready, c.updated)
}

// settles waits, while kubelets make each bound Pod Ready, until the counts are these, and the status is of the last
// generation with no daemon where it should not be.
func (w *world) settles(name string, want counts) {
	w.Helper()
	harness.Eventually(w, limit, func() error {
		w.kubelets()
		ds := w.get(name)
		s := ds.Status
		got := counts{
			len(w.active(name)), int(s.DesiredNumberScheduled), int(s.CurrentNumberScheduled), int(s.NumberReady), int(s.UpdatedNumberScheduled),
		}
		switch {
		case got != want:
			return fmt.Errorf("DaemonSet %s has %s\nwant %s\n%s", name, got, want, w.describe(name))
		case s.ObservedGeneration != ds.Generation:
			return fmt.Errorf("DaemonSet %s: generation %d observed, want %d", name, s.ObservedGeneration, ds.Generation)
		case s.NumberMisscheduled != 0 || s.NumberAvailable != s.NumberReady || s.NumberUnavailable != s.DesiredNumberScheduled-s.NumberAvailable:
			return fmt.Errorf("DaemonSet %s: %d misscheduled, %d available, %d unavailable", name, s.NumberMisscheduled, s.NumberAvailable, s.NumberUnavailable)
		}
		return nil
	})
}

// reaches waits, with no kubelet at work, until so many Pods are active.
func (w *world) reaches(name string, want int) []corev1.Pod {
	w.Helper()
	var pods []corev1.Pod
	harness.Eventually(w, limit, func() error {
		if pods = w.active(name); len(pods) != want {
			return fmt.Errorf("DaemonSet %s has %d active Pods, want %d\n%s", name, len(pods), want, w.describe(name))
		}
		return nil
	})
	return pods
}

// describe is what one would look at: Pods and events.
func (w *world) describe(name string) string {
	var b strings.Builder
	for _, p := range w.pods(name) {
		fmt.Fprintf(&b, "  Pod %s on %q: %s, deleted %v, labels %v\n", p.Name, p.Spec.NodeName, p.Status.Phase, p.DeletionTimestamp, p.Labels)
	}
	events, err := w.lab.Client.CoreV1().Events(w.namespace).List(w.Context(), metav1.ListOptions{})
	w.must(err)
	for _, e := range events.Items {
		fmt.Fprintf(&b, "  event of %s %s: %s %s: %s\n", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Type, e.Reason, e.Message)
	}
	return b.String()
}

// onNodes are the short names of the nodes that the Pods are bound to, sorted.
func (w *world) onNodes(pods []corev1.Pod) string {
	var names []string
	for _, p := range pods {
		names = append(names, strings.TrimPrefix(p.Spec.NodeName, w.namespace+"-"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
