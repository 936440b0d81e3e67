package acceptance

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A10. What placement does not look at costs nothing, not even a decision; a label wakes only those whom it concerns.
func testHeartbeats(t *testing.T, s *space, ctl *controller) {
	s.create(t, "everywhere")
	for _, name := range []string{"ssd", "ssd-too"} {
		s.create(t, name, onNodesWith("disk", "ssd"))
	}
	s.create(t, "gpu", onNodesWith("gpu", "big"))
	s.expect(t, "everywhere", all(8))
	for _, name := range []string{"ssd", "ssd-too", "gpu"} {
		s.expect(t, name, all(0))
	}
	lasts(t, settled)

	const plans, calls = "everynode_plan_duration_seconds_count", "everynode_actions_total"
	planned, called, versions := ctl.number(t, plans), ctl.number(t, calls), s.versions(t)
	heard := ctl.number(t, "everynode_feed_events_total", "kind=nodes")
	for i := range 25 {
		for _, node := range s.nodes(1, 2, 3, 4, 5, 6, 7, 8) {
			s.heartbeat(t, node, i)
		}
	}
	lasts(t, settled)
	if n := ctl.number(t, plans) - planned; n != 0 {
		t.Errorf("%v decisions were made for 200 heartbeats", n)
	}
	if n := ctl.number(t, calls) - called; n != 0 {
		t.Errorf("%v calls were made for 200 heartbeats", n)
	}
	if n := ctl.number(t, "everynode_feed_events_total", "kind=nodes") - heard; n == 0 {
		t.Error("the controller has not heard of the nodes' changes, so the test says nothing")
	}
	unchanged(t, versions, s.versions(t))

	s.command(t, "kubectl", "label", "node", s.node(7), "disk=ssd")
	s.expect(t, "ssd", all(1))
	s.expect(t, "ssd-too", all(1))
	s.expectOn(t, "ssd", s.node(7))
	s.expectOn(t, "ssd-too", s.node(7))
	lasts(t, settled)
	after := s.versions(t)
	for _, name := range []string{"daemonset everywhere", "daemonset gpu"} {
		if after[name] != versions[name] {
			t.Errorf("%s was written to, although the label does not concern it", name)
		}
	}

	planned = ctl.number(t, plans)
	s.grow(t, s.node(8), "cpu", "8")
	lasts(t, settled)
	if n := ctl.number(t, plans) - planned; n != 0 {
		t.Errorf("%v decisions were made because a node grew; nobody lacked room there", n)
	}
}

// heartbeat changes what heartbeats and other controllers change on a node all the time.
func (s *space) heartbeat(t *testing.T, node string, i int) {
	t.Helper()
	meta := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.test/beat":"%d"}}}`, i)
	if _, err := s.Client.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, meta, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	status := fmt.Appendf(nil, `{"status":{"images":[{"names":["example.test/image:%d"],"sizeBytes":%d}]}}`, i, i)
	if _, err := s.Client.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, status, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}
