package acceptance

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// TestMainJob is what README shows: one file is applied, and every node that qualifies runs the daemon, as nodes come and go.
func TestMainJob(t *testing.T) {
	c := up(t)
	s := &space{cluster: c, name: "monitoring"}
	// Nobody binds a Pod that asks for a scheduler: there is none.
	waiting := (&space{cluster: c, name: metav1.NamespaceDefault}).barePod(t, "unscheduled", "", nil)

	file := filepath.Join(harness.Root(), "examples", "node-exporter.yaml")
	c.Kubectl(t, "apply", "-f", file)
	numbers := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12} // 10 is cordoned, 11 is tainted
	first := s.expectOn(t, "node-exporter", defaultNodes(numbers...)...)
	s.expect(t, "node-exporter", all(11))
	s.checkCordonedAndTainted(t)

	added := strings.Fields(c.command(t, "node", "add", "3"))
	if want := defaultNodes(13, 14, 15); !slices.Equal(added, want) {
		t.Errorf("node add printed %q, want %q", added, want)
	}
	grown := s.expectOn(t, "node-exporter", append(defaultNodes(numbers...), added...)...)
	s.expect(t, "node-exporter", all(14))
	same(t, first, grown, defaultNodes(numbers...)...)

	lost := grown["node-003"]
	c.command(t, "node", "remove", "node-003")
	harness.Eventually(t, reclaimLimit, func() error {
		if slices.ContainsFunc(s.allPods(t), func(p *corev1.Pod) bool { return p.UID == lost.UID }) {
			return fmt.Errorf("Pod %s of the removed node is still there", lost.Name)
		}
		return nil
	})
	s.expect(t, "node-exporter", all(13))
	s.checkBirths(t, "node-exporter", 14)

	c.Kubectl(t, "delete", "daemonset", "-n", "monitoring", "node-exporter")
	s.expectNothing(t)
	s.checkNoScheduler(t, waiting)
}

func defaultNodes(numbers ...int) []string {
	names := make([]string, 0, len(numbers))
	for _, i := range numbers {
		names = append(names, fmt.Sprintf("node-%03d", i))
	}
	return names
}

// checkCordonedAndTainted makes sure that nodes 10 and 11 are what the test takes them for.
func (s *space) checkCordonedAndTainted(t *testing.T) {
	t.Helper()
	for _, name := range defaultNodes(10, 11) {
		node, err := s.Client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		tainted := slices.ContainsFunc(node.Spec.Taints, func(x corev1.Taint) bool { return x.Key == "dedicated" })
		if node.Spec.Unschedulable != (name == "node-010") || tainted != (name == "node-011") {
			t.Errorf("node %s: cordoned %v, taints %v", name, node.Spec.Unschedulable, node.Spec.Taints)
		}
	}
}

// checkBirths: each Pod was bound in its first version, so it was never Pending without a node; there were n Pods in all.
func (s *space) checkBirths(t *testing.T, name string, n int) {
	t.Helper()
	h := s.seen.of(t, s.name, name)
	if len(h.firsts) != n {
		t.Errorf("%d Pods were made in all; want %d", len(h.firsts), n)
	}
	for _, pod := range h.firsts {
		if pod.Spec.NodeName == "" {
			t.Errorf("the first version of Pod %s had no spec.nodeName", pod.Name)
		}
		if pod.Status.StartTime != nil || pod.Status.Phase != corev1.PodPending {
			t.Errorf("the first version seen of Pod %s is not its first: phase %s", pod.Name, pod.Status.Phase)
		}
	}
	if h.mostPerNode() != 1 {
		t.Errorf("a node held %d Pods at once", h.mostPerNode())
	}
}

// checkNoScheduler: a Pod that needs one still waits, nobody has even judged it, and no scheduler has said anything or holds
// a lease.
func (s *space) checkNoScheduler(t *testing.T, waiting *corev1.Pod) {
	t.Helper()
	now, err := s.Client.CoreV1().Pods(waiting.Namespace).Get(t.Context(), waiting.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if now.Spec.NodeName != "" || len(now.Status.Conditions) > 0 {
		t.Errorf("a Pod for the scheduler was bound to %q, conditions %v", now.Spec.NodeName, now.Status.Conditions)
	}
	leases, err := s.Client.CoordinationV1().Leases(metav1.NamespaceSystem).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range leases.Items {
		if strings.Contains(l.Name, "scheduler") {
			t.Errorf("there is a lease %s", l.Name)
		}
	}
	events, err := s.Client.CoreV1().Events("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events.Items {
		if e.Reason == "Scheduled" || e.Reason == "FailedScheduling" || strings.Contains(e.Source.Component+e.ReportingController, "scheduler") {
			t.Errorf("a scheduler says: %s %s", e.Reason, e.Message)
		}
	}
}
