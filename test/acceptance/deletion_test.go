package acceptance

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// A18. While a DaemonSet is deleted in the foreground it belongs to the garbage collector: a node that joins gets no Pod, one
// that fails is not replaced, and the status is not written. Then nothing is left.
func testForegroundDeletion(t *testing.T, s *space) {
	s.create(t, "d")
	s.expect(t, "d", all(3))
	s.update(t, "d", image("v2"), sim("stuck-terminating", "8s"))
	s.expect(t, "d", all(3))
	pods := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	made := len(s.seen.of(t, s.name, "d").firsts)
	lasts(t, settled)
	status := s.get(t, "d").Status

	s.remove(t, "d", metav1.DeletePropagationForeground)
	if s.get(t, "d").DeletionTimestamp == nil {
		t.Fatal("the DaemonSet is not being deleted")
	}
	s.command(t, "node", "add", "--prefix", s.name+"-", "--label", "group="+s.name)
	s.setPhase(t, pods[s.node(1)].Name, corev1.PodFailed, "Evicted")
	var last *appsv1.DaemonSet
	harness.Eventually(t, patience, func() error {
		ds, err := s.Client.AppsV1().DaemonSets(s.name).Get(t.Context(), "d", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			last, err = ds, fmt.Errorf("the DaemonSet is still there")
		}
		return err
	})
	if last == nil {
		t.Fatal("the DaemonSet went at once, so nothing was seen of its deletion")
	}
	if diff := cmp.Diff(status, last.Status); diff != "" {
		t.Errorf("the status was written while the DaemonSet was deleted (-before +after):\n%s", diff)
	}
	s.expectNothing(t)
	if h := s.seen.of(t, s.name, "d"); len(h.firsts) != made {
		t.Errorf("%d Pods were made after the deletion", len(h.firsts)-made)
	}
	if m := s.events(t, "d", "FailedDaemonPod"); len(m) > 0 {
		t.Errorf("the controller deleted a Pod although the DaemonSet was being deleted: %q", m)
	}
}

// A18. Deleted in the background, the DaemonSet is gone at once and its Pods and revisions follow; none is made again.
func testBackgroundDeletion(t *testing.T, s *space) {
	s.create(t, "d")
	s.expect(t, "d", all(3))
	s.update(t, "d", image("v2"))
	s.expect(t, "d", all(3))
	s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	made := len(s.seen.of(t, s.name, "d").firsts)

	s.remove(t, "d", metav1.DeletePropagationBackground)
	if _, err := s.Client.AppsV1().DaemonSets(s.name).Get(t.Context(), "d", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the DaemonSet is still there: %v", err)
	}
	s.expectNothing(t)
	if h := s.seen.of(t, s.name, "d"); len(h.firsts) != made {
		t.Errorf("%d Pods were made after the deletion", len(h.firsts)-made)
	}
}

// expectNothing waits until neither a Pod nor a revision is left, and makes sure that none comes back.
func (s *space) expectNothing(t *testing.T) {
	t.Helper()
	look := func() error {
		if pods, revisions := s.allPods(t), s.revisions(t); len(pods)+len(revisions) > 0 {
			return fmt.Errorf("%d Pods are left, and revisions of %d owners", len(pods), len(revisions))
		}
		return nil
	}
	harness.Eventually(t, patience, look)
	lasts(t, settled)
	if err := look(); err != nil {
		t.Errorf("came back: %v", err)
	}
}

// A18, A23. A DaemonSet is deleted with its Pods left to nobody, and comes back the same: every Pod is adopted under the same
// revision, none restarted.
func testOrphanDeletionAndReturn(t *testing.T, s *space) {
	s.create(t, "d")
	s.expect(t, "d", all(3))
	before := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	revision := s.revisions(t)["d"][0]
	old := s.get(t, "d").UID

	s.remove(t, "d", metav1.DeletePropagationOrphan)
	harness.Eventually(t, patience, func() error {
		_, err := s.Client.AppsV1().DaemonSets(s.name).Get(t.Context(), "d", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the DaemonSet is still there: %w", err)
		}
		return nil
	})
	lasts(t, settled)
	for _, pod := range s.allPods(t) {
		if len(pod.OwnerReferences) > 0 || pod.DeletionTimestamp != nil || !ready(pod) {
			t.Errorf("orphan %s: owners %v, deleted %v, Ready %v", pod.Name, pod.OwnerReferences, pod.DeletionTimestamp, ready(pod))
		}
	}

	again := s.create(t, "d")
	s.expect(t, "d", all(3))
	after := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	same(t, before, after, s.nodes(1, 2, 3)...)
	for node, pod := range after {
		if ref := metav1.GetControllerOf(pod); ref.UID != again.UID {
			t.Errorf("the Pod on %s belongs to %s; the DaemonSet is %s, was %s", node, ref.UID, again.UID, old)
		}
	}
	list := s.revisions(t)["d"]
	if len(list) != 1 || list[0].UID != revision.UID || list[0].Name != revision.Name {
		t.Errorf("revisions after the return: %v; want %s alone", list, revision.Name)
	}
	if owner := metav1.GetControllerOf(list[0]); owner == nil || owner.UID != again.UID {
		t.Errorf("the revision belongs to %v", owner)
	}
	if h := s.seen.of(t, s.name, "d"); len(h.latest) != 3 {
		t.Errorf("%d Pods were made in all; want 3", len(h.latest))
	}
}
