package integration

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/everynode/everynode/test/harness"
)

func oneNode(w *world) {
	w.daemonSet("foo")
	w.settles("foo", all(0))
	w.node("single")
	w.settles("foo", all(1))
	w.want("foo", "single")
}

func fiveNodes(w *world) {
	w.daemonSet("foo")
	for i := range 5 {
		w.node(fmt.Sprint(i))
	}
	w.settles("foo", all(5))
	w.want("foo", "0 1 2 3 4")
}

// The terms of a required node affinity are alternatives: here one asks for a label, another for a name.
func affinity(w *world) {
	w.daemonSet("foo", func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{
				{MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"test"},
				}}},
				{MatchFields: []corev1.NodeSelectorRequirement{{
					Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{w.nodeName("1")},
				}}},
			}},
		}}
	})
	for i := range 6 {
		w.node(fmt.Sprint(i), func(n *corev1.Node) {
			if i == 2 || i == 3 {
				n.Labels = map[string]string{"zone": "test"}
			}
		})
	}
	w.settles("foo", all(3))
	w.want("foo", "1 2 3")
}

// Whether a node is Ready does not matter by itself; the taint that says so does, as any other.
func notReadyNode(w *world) {
	w.daemonSet("tolerant", func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Tolerations = []corev1.Toleration{{
			Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule,
		}}
	})
	w.daemonSet("plain")
	node := w.node("single", func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse })
	w.settles("tolerant", all(1))
	w.want("tolerant", "single")
	w.settles("plain", all(0))

	w.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		fresh, err := w.lab.Client.CoreV1().Nodes().Get(w.Context(), node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		fresh.Status.Conditions[0].Status = corev1.ConditionTrue
		fresh.Status.Conditions[0].LastHeartbeatTime = metav1.Now()
		_, err = w.lab.Client.CoreV1().Nodes().UpdateStatus(w.Context(), fresh, metav1.UpdateOptions{})
		return err
	}))
	w.settles("plain", all(1))
	w.settles("tolerant", all(1))
}

// A node without room is wanted and stays without: the scheduler leaves the Pod unbound, direct placement creates none.
func insufficientCapacity(w *world) {
	w.daemonSet("foo", func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{
			corev1.ResourceMemory: resource.MustParse("120M"), corev1.ResourceCPU: resource.MustParse("75m"),
		}
	})
	w.node("limited", room("100M", "200m"))
	if w.direct() {
		w.settles("foo", counts{desired: 1})
		w.event("foo", "FailedPlacement", "memory")
	} else {
		w.settles("foo", counts{pods: 1, desired: 1, current: 1, updated: 1})
		w.unschedulable("foo")
	}
	w.node("enough", room("200M", "2000m"))
	if w.direct() {
		w.settles("foo", counts{pods: 1, desired: 2, current: 1, ready: 1, updated: 1})
		w.want("foo", "enough")
	} else {
		w.settles("foo", counts{pods: 2, desired: 2, current: 2, ready: 1, updated: 2})
		w.want("foo", " enough")
	}
}

func room(memory, cpu string) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Status.Allocatable[corev1.ResourceMemory] = resource.MustParse(memory)
		n.Status.Allocatable[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
}

func (w *world) unschedulable(name string) {
	w.Helper()
	harness.Eventually(w, limit, func() error {
		pod := w.active(name)[0]
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
				return nil
			}
		}
		return fmt.Errorf("Pod %s is not marked unschedulable: %v", pod.Name, pod.Status.Conditions)
	})
}

// event waits for an event of the DaemonSet with this reason and text.
func (w *world) event(name, reason, text string) {
	w.Helper()
	harness.Eventually(w, limit, func() error {
		events, err := w.lab.Client.CoreV1().Events(w.namespace).List(w.Context(), metav1.ListOptions{
			FieldSelector: "involvedObject.kind=DaemonSet,involvedObject.name=" + name + ",reason=" + reason,
		})
		if err != nil {
			return err
		}
		for _, e := range events.Items {
			if strings.Contains(e.Message, text) {
				return nil
			}
		}
		return fmt.Errorf("no event %s with %q\n%s", reason, text, w.describe(name))
	})
}

func taintedNode(w *world) {
	w.daemonSet("foo")
	w.node("with-taint", tainted("key1"))
	w.node("without-taint")
	w.settles("foo", all(1))
	w.want("foo", "without-taint")
	w.untaint("with-taint", "key1")
	w.settles("foo", all(2))
	w.want("foo", "with-taint without-taint")
}

func (w *world) untaint(short, key string) {
	w.Helper()
	nodes := w.lab.Client.CoreV1().Nodes()
	w.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		node, err := nodes.Get(w.Context(), w.nodeName(short), metav1.GetOptions{})
		if err != nil {
			return err
		}
		var rest []corev1.Taint
		for _, t := range node.Spec.Taints {
			if t.Key != key {
				rest = append(rest, t)
			}
		}
		node.Spec.Taints = rest
		_, err = nodes.Update(w.Context(), node, metav1.UpdateOptions{})
		return err
	}))
}

// A cordoned node gets its daemon, whatever it is; a node without a network gets those that need none.
func unschedulableNode(w *world) {
	w.daemonSet("on-host-network", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.HostNetwork = true })
	w.daemonSet("plain")
	w.node("cordoned", tainted(corev1.TaintNodeUnschedulable), func(n *corev1.Node) { n.Spec.Unschedulable = true })
	w.node("no-network", tainted(corev1.TaintNodeNetworkUnavailable), func(n *corev1.Node) {
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{
			Type: corev1.NodeNetworkUnavailable, Status: corev1.ConditionTrue,
		})
	})
	w.settles("on-host-network", all(2))
	w.want("on-host-network", "cordoned no-network")
	w.settles("plain", all(1))
	w.want("plain", "cordoned")
}

// want compares the nodes of the active Pods; an unbound Pod is an empty name.
func (w *world) want(name, nodes string) {
	w.Helper()
	if got := w.onNodes(w.active(name)); got != nodes {
		w.Errorf("DaemonSet %s runs on %q, want %q", name, got, nodes)
	}
}
