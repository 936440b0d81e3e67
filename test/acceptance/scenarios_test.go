package acceptance

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// TestMain lets the scenarios of one control plane run side by side: they wait far more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// groups are the nodes of the shared control plane: each scenario has its own, under the label group.
const groups = `
groups:
- {count: 6, prefix: taints-, labels: {group: taints}}
- {count: 3, prefix: arch-, labels: {group: arch, kubernetes.io/arch: amd64}}
- {count: 2, prefix: arch-, labels: {group: arch, kubernetes.io/arch: arm64}}
- {count: 1, prefix: arch-, labels: {group: arch, kubernetes.io/arch: arm}}
- {count: 3, prefix: ended-, labels: {group: ended}}
- {count: 2, prefix: held-, labels: {group: held}}
- {count: 3, prefix: foreground-, labels: {group: foreground}}
- {count: 3, prefix: background-, labels: {group: background}}
- {count: 3, prefix: orphan-, labels: {group: orphan}}
- {count: 4, prefix: ports-, labels: {group: ports, role: web}}
- {count: 1, prefix: ports-, labels: {group: ports}}
- {count: 1, prefix: room-, labels: {group: room}, capacity: {cpu: "1"}}
- {count: 1, prefix: room-, labels: {group: room}, capacity: {pods: "3"}}
- {count: 1, prefix: room-, labels: {group: room}}
- {count: 1, prefix: room-, labels: {group: room}, capacity: {cpu: "1"}}
- {count: 4, prefix: adopt-, labels: {group: adopt}}
- {count: 1, prefix: shape-, labels: {group: shape}, unschedulable: true}
- {count: 1, prefix: shape-, labels: {group: shape}, annotations: {sim.everynode.dev/pressure: "memory,disk,pid"}}
- {count: 2, prefix: shape-, labels: {group: shape}}
- {count: 1, prefix: shape-, labels: {group: shape, kubernetes.io/hostname: other}}
- {count: 3, prefix: vanish-, labels: {group: vanish}}
- {count: 20, prefix: quota-, labels: {group: quota}}
`

// TestScenarios runs the cases of placement, ownership and failure on one control plane whose Pod garbage collector has no
// rights: whatever is reclaimed here, everynode has reclaimed.
func TestScenarios(t *testing.T) {
	c := up(t, "--nodes-file", nodesFile(t, groups))
	c.disarmPodGC(t)
	scenarios := map[string]func(*testing.T, *space){
		"taints":     testTaints,
		"arch":       testOneSelectorForFive,
		"ended":      testEndedPods,
		"held":       testFinalizerHoldsEndedPod,
		"foreground": testForegroundDeletion,
		"background": testBackgroundDeletion,
		"orphan":     testOrphanDeletionAndReturn,
		"ports":      testHostPorts,
		"room":       testRoom,
		"adopt":      testAdoptionAndRelease,
		"shape":      testShapeDirect,
		"vanish":     testNodeVanishesWithoutPodGC,
		"quota":      testQuota,
	}
	t.Run("settle", func(t *testing.T) {
		for name, scenario := range scenarios {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scenario(t, c.space(t, name))
			})
		}
	})
	t.Run("rest", c.testAtRest)
}

// disarmPodGC takes the Pod garbage collector's rights away. Its loop goes on and can do nothing.
func (c *cluster) disarmPodGC(t *testing.T) {
	t.Helper()
	err := c.Client.RbacV1().ClusterRoleBindings().Delete(t.Context(), "system:controller:pod-garbage-collector", metav1.DeleteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:kube-system:pod-garbage-collector",
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "delete", Resource: "pods", Namespace: "vanish"},
	}}
	harness.Eventually(t, patience, func() error {
		got, err := c.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
		if err == nil && got.Status.Allowed {
			return fmt.Errorf("it may still delete Pods: %s", got.Status.Reason)
		}
		return err
	})
}

// A node leaves for good, and nobody but everynode can take its Pod away.
func testNodeVanishesWithoutPodGC(t *testing.T, s *space) {
	s.create(t, "d")
	before := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	lost := before[s.node(2)]
	s.command(t, "node", "remove", s.node(2))
	harness.Eventually(t, reclaimLimit, func() error {
		for _, pod := range s.allPods(t) {
			if pod.UID == lost.UID {
				return fmt.Errorf("Pod %s of the removed node is still there", pod.Name)
			}
		}
		return nil
	})
	same(t, before, s.expectOn(t, "d", s.nodes(1, 3)...), s.nodes(1, 3)...)
	s.expect(t, "d", all(2))
	s.expectEvent(t, "d", "SuccessfulDelete", lost.Name)
}

// reclaimLimit is promised: a removed node's Pod is gone within a minute.
const reclaimLimit = 60 * time.Second
