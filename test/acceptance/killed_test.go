package acceptance

import (
	"fmt"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/test/harness"
)

const killedNodes = `
groups:
- {count: 6, prefix: killed-, labels: {group: killed}}
`

// TestKilledInMidRollout kills the whole process twice, once while the first Pods are made and once in the middle of a
// rollout, and resumes it in the same directory. Nothing is lost, nothing is doubled.
func TestKilledInMidRollout(t *testing.T) {
	dir := t.TempDir()
	c := up(t, "--data-dir", dir, "--nodes-file", nodesFile(t, killedNodes))
	s := c.space(t, "killed")
	s.create(t, "d", sim("ready-after", "1s"))
	s.untilMade(t, 1)
	s = s.killAndResume(t, dir)
	s.expect(t, "d", all(6))
	first := s.expectOn(t, "d", s.nodes(1, 2, 3, 4, 5, 6)...)
	if h := s.seen.of(t, s.name, "d"); h.mostPerNode() != 1 || len(h.firsts) != 6 {
		t.Errorf("after the first kill: %d Pods in all, at most %d on a node; want 6 and 1", len(h.firsts), h.mostPerNode())
	}

	s.update(t, "d", image("v2"))
	s.untilMade(t, 9) // two nodes are done, the third is under way
	before := s.seen.of(t, s.name, "d")
	last := before.states[len(before.states)-1]
	s = s.killAndResume(t, dir)
	s.expect(t, "d", all(6))
	final := s.expectOn(t, "d", s.nodes(1, 2, 3, 4, 5, 6)...)
	after := s.seen.of(t, s.name, "d")

	if after.mostPerNode() != 1 {
		t.Errorf("after the second kill a node held %d Pods at once", after.mostPerNode())
	}
	if n := after.fewestReady(5); n != 5 {
		t.Errorf("after the second kill %d nodes were Ready at the worst moment; want 5 of 6", n)
	}
	s.checkRevisions(t, 2)
	replaced(t, first, final, s.nodes(1, 2, 3, 4, 5, 6)...)
	checkUpdatedOnce(t, before, after, s.revisions(t)["d"][1].Labels[hashLabel])
	checkKept(t, last, final, s.revisions(t)["d"][1].Labels[hashLabel])
}

// killAndResume ends the process with no chance to clean up, and starts it again.
func (s *space) killAndResume(t *testing.T, dir string) *space {
	t.Helper()
	if _, err := s.Stop(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return &space{cluster: up(t, "--data-dir", dir), name: s.name}
}

// untilMade waits until that many Pods of the daemon d have been made in all.
func (s *space) untilMade(t *testing.T, n int) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		if made := s.seen.count(s.name, "d"); made < n {
			return fmt.Errorf("%d Pods were made, waiting for %d", made, n)
		}
		return nil
	})
}

// count is how many Pods of a DaemonSet were seen so far.
func (w *witness) count(namespace, name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	uids := map[types.UID]bool{}
	for _, e := range w.log {
		if key, ok := ownerOf(e.pod); ok && key == (daemonKey{namespace, name}) {
			uids[e.pod.UID] = true
		}
	}
	return len(uids)
}

func (s *space) checkRevisions(t *testing.T, n int) {
	t.Helper()
	list := s.revisions(t)["d"]
	if len(list) != n || list[n-1].Revision != int64(n) {
		t.Fatalf("%d revisions, want %d, numbered 1 to %d: %v", len(list), n, n, list)
	}
}

// checkUpdatedOnce: over both lives of the process, each node got exactly one Pod of the new revision.
func checkUpdatedOnce(t *testing.T, before, after history, hash string) {
	t.Helper()
	made := map[string]map[types.UID]bool{}
	for _, h := range []history{before, after} {
		for uid, pod := range h.latest {
			if pod.Labels[hashLabel] != hash {
				continue
			}
			if made[nodeOf(pod)] == nil {
				made[nodeOf(pod)] = map[types.UID]bool{}
			}
			made[nodeOf(pod)][uid] = true
		}
	}
	for node, uids := range made {
		if len(uids) != 1 {
			t.Errorf("node %s got %d Pods of the new revision", node, len(uids))
		}
	}
	if len(made) != 6 {
		t.Errorf("%d nodes got a Pod of the new revision; want 6", len(made))
	}
}

// checkKept: a Pod that was of the new revision already when the process died is the one that runs in the end.
func checkKept(t *testing.T, last map[types.UID]*corev1.Pod, final map[string]*corev1.Pod, hash string) {
	t.Helper()
	kept := 0
	for uid, pod := range last {
		if pod.Labels[hashLabel] == hash && pod.DeletionTimestamp == nil {
			kept++
			if final[nodeOf(pod)].UID != uid {
				t.Errorf("node %s had its new Pod %s before the kill, and has %s now", nodeOf(pod), uid, final[nodeOf(pod)].UID)
			}
		}
	}
	if kept < 2 {
		t.Errorf("only %d Pods were updated before the kill: it came too early to tell", kept)
	}
}
