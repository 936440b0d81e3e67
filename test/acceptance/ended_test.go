package acceptance

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/test/harness"
)

// setPhase writes a Pod's end into its status, as a kubelet does.
func (s *space) setPhase(t *testing.T, pod string, phase corev1.PodPhase, reason string) {
	t.Helper()
	patch := fmt.Sprintf(`{"status":{"phase":%q,"reason":%q}}`, phase, reason)
	_, err := s.Client.CoreV1().Pods(s.name).Patch(t.Context(), pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
}

// expectReplaced waits until the node has a Ready Pod that is not the one given.
func (s *space) expectReplaced(t *testing.T, name string, old *corev1.Pod) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	harness.Eventually(t, patience, func() error {
		for _, p := range s.allPods(t) {
			if key, ok := ownerOf(p); ok && key.name == name && nodeOf(p) == nodeOf(old) && p.UID != old.UID && ready(p) {
				pod = p
				return nil
			}
		}
		return fmt.Errorf("%s has no new Ready Pod on %s", name, nodeOf(old))
	})
	return pod
}

// A13. Pods that ended are deleted and replaced, with one event each; a node that ends them again and again has one Pod.
func testEndedPods(t *testing.T, s *space) {
	s.create(t, "d")
	first := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	succeeded, failed := first[s.node(1)], first[s.node(2)]
	s.setPhase(t, succeeded.Name, corev1.PodSucceeded, "")
	s.setPhase(t, failed.Name, corev1.PodFailed, "NodeAffinity")
	again := s.expectReplaced(t, "d", succeeded)
	s.expectReplaced(t, "d", failed)
	second := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	replaced(t, first, second, s.nodes(1, 2)...)
	same(t, first, second, s.node(3))
	s.expectEvent(t, "d", "SucceededDaemonPod", succeeded.Name, s.node(1), "Succeeded")
	s.expectEvent(t, "d", "FailedDaemonPod", failed.Name, s.node(2), "Failed", "NodeAffinity")

	for range 3 { // the node reboots, and its kubelet ends the Pod each time
		s.setPhase(t, again.Name, corev1.PodSucceeded, "")
		again = s.expectReplaced(t, "d", again)
	}
	s.expect(t, "d", all(3))
	third := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	same(t, second, third, s.nodes(2, 3)...)
	h := s.seen.of(t, s.name, "d")
	if h.mostPerNode() != 1 {
		t.Errorf("a node held %d Pods at once", h.mostPerNode())
	}
	if len(h.firsts) != 8 {
		t.Errorf("%d Pods were made in all; want 8: three, two replaced, three reboots", len(h.firsts))
	}
}

// A14. A foreign finalizer holds an ended Pod. Its successor comes when it has ended, not before; it counts for nothing, and
// a rollout does not wait for it.
func testFinalizerHoldsEndedPod(t *testing.T, s *space) {
	s.create(t, "d")
	first := s.expectOn(t, "d", s.nodes(1, 2)...)
	held := first[s.node(1)]
	s.setFinalizers(t, held.Name, `["example.test/hold"]`)
	if err := s.Client.CoreV1().Pods(s.name).Delete(t.Context(), held.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.expectReplaced(t, "d", held)
	s.expect(t, "d", all(2))
	marked := s.pod(t, held.Name)
	if !ended(marked) || marked.DeletionTimestamp == nil {
		t.Fatalf("the held Pod is %s, deleted at %v; it should have ended and be kept by its finalizer", marked.Status.Phase, marked.DeletionTimestamp)
	}

	s.update(t, "d", image("v2"))
	s.expect(t, "d", all(2))
	after := s.pod(t, held.Name)
	if after.ResourceVersion != marked.ResourceVersion {
		t.Errorf("the held Pod was written to: version %s, then %s", marked.ResourceVersion, after.ResourceVersion)
	}

	harness.Eventually(t, patience, func() error { return s.statusIs(t.Context(), "d", all(2)) })
	lasts(t, settled)
	before := s.versions(t)
	s.setFinalizers(t, held.Name, `null`)
	harness.Eventually(t, patience, func() error {
		if now := s.versions(t); len(now) != len(before)-1 {
			return fmt.Errorf("%d objects, want %d", len(now), len(before)-1)
		}
		return nil
	})
	lasts(t, settled)
	delete(before, "pod "+held.Name)
	unchanged(t, before, s.versions(t))
	if h := s.seen.of(t, s.name, "d"); h.mostPerNode() != 1 {
		t.Errorf("a node held %d Pods that had not ended at once", h.mostPerNode())
	}
}

func (s *space) setFinalizers(t *testing.T, pod, list string) {
	t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"finalizers":%s}}`, list)
	_, err := s.Client.CoreV1().Pods(s.name).Patch(t.Context(), pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
