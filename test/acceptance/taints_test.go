package acceptance

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A08. Taints decide where Pods start, stay and go; the real taint eviction works beside everynode.
func testTaints(t *testing.T, s *space) {
	s.taint(t, s.node(6), corev1.TaintEffectNoSchedule)
	s.create(t, "d")
	first := s.expectOn(t, "d", s.nodes(1, 2, 3, 4, 5)...)
	s.expect(t, "d", all(5))

	s.taint(t, s.node(1), corev1.TaintEffectPreferNoSchedule)
	s.taint(t, s.node(2), corev1.TaintEffectNoSchedule)
	s.taint(t, s.node(3), corev1.TaintEffectNoExecute)
	s.taint(t, s.node(4), corev1.TaintEffectNoSchedule)
	s.expect(t, "d", counts{desired: 2, current: 2, ready: 2, updated: 2, available: 2, misscheduled: 2})
	if err := s.Client.CoreV1().Pods(s.name).Delete(t.Context(), first[s.node(4)].Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	tainted := s.expectOn(t, "d", s.nodes(1, 2, 5)...)
	same(t, first, tainted, s.nodes(1, 2, 5)...)
	s.expect(t, "d", counts{desired: 2, current: 2, ready: 2, updated: 2, available: 2, misscheduled: 1})

	for _, node := range s.nodes(1, 2, 3, 4, 6) {
		s.untaint(t, node)
	}
	s.expect(t, "d", all(6))
	same(t, first, s.expectOn(t, "d", s.nodes(1, 2, 3, 4, 5, 6)...), s.nodes(1, 2, 5)...)

	h := s.seen.of(t, s.name, "d")
	if len(h.firsts) != 8 {
		t.Errorf("%d Pods were made in all; want 8: five, then one each for nodes 3, 4 and 6", len(h.firsts))
	}
	if h.mostPerNode() != 1 {
		t.Errorf("a node held %d Pods at once", h.mostPerNode())
	}
}
