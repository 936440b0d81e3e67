package acceptance

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const replicaNodes = `
groups:
- {count: 8, prefix: replicas-, labels: {group: replicas}}
`

// TestReplicas runs two controllers of which one acts. The leader is killed in the middle of a rollout, the next one is
// frozen for longer than its lease in the middle of another: the other goes on, and no node ever has two Pods.
func TestReplicas(t *testing.T) {
	c := up(t, "--controller=false", "--nodes-file", nodesFile(t, replicaNodes))
	s := c.space(t, "replicas")
	eight := s.nodes(1, 2, 3, 4, 5, 6, 7, 8)
	s.create(t, "d", sim("ready-after", "1s"))
	lasts(t, settled)
	if n := len(s.allPods(t)); n != 0 {
		t.Fatalf("%d Pods without any controller", n)
	}
	a := c.control(t, "--leader-elect")
	a.expectMetric(t, 1, "everynode_leader")
	b := c.control(t, "--leader-elect")
	b.expectCode(t, "/readyz", http.StatusOK)
	s.expect(t, "d", all(8))
	s.expectOn(t, "d", eight...)
	checkPages(t, a, b)
	first := s.lease(t)

	s.update(t, "d", image("v2"))
	s.untilMade(t, 8+3)
	a.signal(t, syscall.SIGKILL)
	s.expect(t, "d", all(8))
	second := s.lease(t)
	checkHandedOver(t, first, second)
	b.expectMetric(t, 1, "everynode_leader")
	s.checkRollout(t, "v2", 2)

	a = c.control(t, "--leader-elect") // the third life: it stands by
	a.expectCode(t, "/readyz", http.StatusOK)
	s.update(t, "d", image("v3"))
	s.untilMade(t, 16+3)
	b.signal(t, syscall.SIGSTOP)
	a.expectMetric(t, 1, "everynode_leader")
	s.untilMade(t, 16+5)
	b.signal(t, syscall.SIGCONT)
	if code := b.wait(t, patience); code == 0 {
		t.Error("the old leader lost its lease and ended with exit code 0")
	}
	if out := b.output(); !strings.Contains(out, "the lease was lost, so another replica may be acting") {
		t.Errorf("the old leader does not say why it ended:\n%s", out)
	}
	s.expect(t, "d", all(8))
	checkHandedOver(t, second, s.lease(t))
	s.checkRollout(t, "v3", 3)

	a.signal(t, syscall.SIGTERM)
	if code := a.wait(t, stopLimit); code != 0 {
		t.Errorf("after SIGTERM the exit code is %d; it printed:\n%s", code, a.output())
	}
}

// stopLimit is how long a controller may take to stop: less than the 30 seconds after which a kubelet kills it.
const stopLimit = 10 * time.Second

// checkPages: both replicas are well, and exactly one counts itself as leader and has made the Pods.
func checkPages(t *testing.T, leader, standby *controller) {
	t.Helper()
	for _, p := range []*controller{leader, standby} {
		p.expectCode(t, "/healthz", http.StatusOK)
		p.expectCode(t, "/readyz", http.StatusOK)
		if n := p.number(t, "everynode_build_info"); n != 1 {
			t.Errorf("everynode_build_info is %v", n)
		}
	}
	if l, s := leader.number(t, "everynode_leader"), standby.number(t, "everynode_leader"); l != 1 || s != 0 {
		t.Errorf("everynode_leader is %v and %v; want 1 and 0", l, s)
	}
	done := leader.number(t, "everynode_actions_total", "action=create", "result=done")
	if idle := standby.number(t, "everynode_actions_total"); done != 8 || idle != 0 {
		t.Errorf("the leader counts %v Pods made, want 8; the other counts %v calls, want none", done, idle)
	}
	for kind, want := range map[string]float64{"nodes": 8, "daemonsets": 1, "pods": 8, "controllerrevisions": 1} {
		leader.expectMetric(t, want, "everynode_facts", "kind="+kind)
	}
}

func (s *space) lease(t *testing.T) *coordinationv1.Lease {
	t.Helper()
	lease, err := s.Client.CoordinationV1().Leases("everynode-system").Get(t.Context(), "everynode-controller", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// checkHandedOver: the lease has a new holder, who took it once and not before the old one's last renewal had run out.
func checkHandedOver(t *testing.T, old, now *coordinationv1.Lease) {
	t.Helper()
	if *now.Spec.HolderIdentity == *old.Spec.HolderIdentity {
		t.Fatalf("the lease is still held by %s", *now.Spec.HolderIdentity)
	}
	if n := *now.Spec.LeaseTransitions - *old.Spec.LeaseTransitions; n != 1 {
		t.Errorf("the lease went from hand to hand %d times", n)
	}
	end := old.Spec.RenewTime.Add(time.Duration(*old.Spec.LeaseDurationSeconds) * time.Second)
	if now.Spec.AcquireTime.Time.Before(end) {
		t.Errorf("the lease was taken at %s, before it had run out at %s", now.Spec.AcquireTime, end)
	}
}

// checkRollout: every node has one Pod of the n-th revision, got exactly one, and never held two; one at a time was down.
func (s *space) checkRollout(t *testing.T, version string, n int) {
	t.Helper()
	s.checkRevisions(t, n)
	hash := s.revisions(t)["d"][n-1].Labels[hashLabel]
	for node, pod := range s.expectOn(t, "d", s.nodes(1, 2, 3, 4, 5, 6, 7, 8)...) {
		if pod.Labels[hashLabel] != hash || !strings.HasSuffix(pod.Spec.Containers[0].Image, version) {
			t.Errorf("%s runs %s of revision %s, want %s of %s", node, pod.Spec.Containers[0].Image, pod.Labels[hashLabel], version, hash)
		}
	}
	h := s.seen.of(t, s.name, "d")
	made := h.made(hash)
	for _, node := range s.nodes(1, 2, 3, 4, 5, 6, 7, 8) {
		if made[node] != 1 {
			t.Errorf("node %s got %d Pods of revision %d", node, made[node], n)
		}
	}
	if h.mostPerNode() != 1 {
		t.Errorf("a node held %d Pods at once", h.mostPerNode())
	}
	if ready := h.fewestReady(8); ready != 7 {
		t.Errorf("%d nodes were Ready at the worst moment; want 7 of 8", ready)
	}
	if len(h.firsts) != 8*n {
		t.Errorf("%d Pods were made in all; want %d", len(h.firsts), 8*n)
	}
}
