package acceptance

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/test/harness"
)

// A11. Five DaemonSets, one for each architecture, share labels and selector. None touches another's Pods or history.
func testOneSelectorForFive(t *testing.T, s *space) {
	nodes := map[string][]string{"amd64": s.nodes(1, 2, 3), "arm64": s.nodes(4, 5), "arm": s.nodes(6), "ppc64le": nil, "s390x": nil}
	first := map[string]map[string]*corev1.Pod{}
	for arch := range nodes {
		s.create(t, arch, labelled("flannel"), onNodesWith(corev1.LabelArchStable, arch))
	}
	for arch, names := range nodes {
		first[arch] = s.expectOn(t, arch, names...)
		s.expect(t, arch, all(int32(len(names))))
	}
	s.expectRevisions(t, map[string]int{"amd64": 1, "arm64": 1, "arm": 1, "ppc64le": 1, "s390x": 1})

	s.update(t, "amd64", image("v2"))
	s.expect(t, "amd64", all(3))
	second := s.expectOn(t, "amd64", nodes["amd64"]...)
	replaced(t, first["amd64"], second, nodes["amd64"]...)
	same(t, first["arm64"], s.expectOn(t, "arm64", nodes["arm64"]...), nodes["arm64"]...)
	same(t, first["arm"], s.expectOn(t, "arm", nodes["arm"]...), nodes["arm"]...)

	s.remove(t, "arm64", metav1.DeletePropagationBackground)
	s.expectOn(t, "arm64")
	s.expectRevisions(t, map[string]int{"amd64": 2, "arm": 1, "ppc64le": 1, "s390x": 1})
	same(t, second, s.expectOn(t, "amd64", nodes["amd64"]...), nodes["amd64"]...)
	same(t, first["arm"], s.expectOn(t, "arm", nodes["arm"]...), nodes["arm"]...)

	made := map[string]int{}
	owners := map[types.UID]types.UID{}
	for _, e := range s.seen.entries(t) {
		if e.pod.Namespace != s.name {
			continue
		}
		ref := metav1.GetControllerOf(e.pod)
		switch owner, seen := owners[e.pod.UID]; {
		case ref == nil:
			t.Errorf("Pod %s had no controller in version %s", e.pod.Name, e.pod.ResourceVersion)
		case !seen:
			owners[e.pod.UID] = ref.UID
			made[ref.Name]++
		case owner != ref.UID:
			t.Errorf("Pod %s went from one controller to another", e.pod.Name)
		}
	}
	if want := map[string]int{"amd64": 6, "arm64": 2, "arm": 1}; fmt.Sprint(made) != fmt.Sprint(want) {
		t.Errorf("Pods ever made: %v, want %v", made, want)
	}
	if h := s.seen.of(t, s.name, "amd64"); h.fewestReady(3) != 2 {
		t.Errorf("%d nodes were Ready at the worst moment of the rollout; want 2 of 3", h.fewestReady(3))
	}
}

// expectRevisions waits until each DaemonSet has so many ControllerRevisions, and nobody else has any.
func (s *space) expectRevisions(t *testing.T, want map[string]int) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		got := map[string]int{}
		for owner, list := range s.revisions(t) {
			got[owner] = len(list)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("revisions by owner: %v, want %v", got, want)
		}
		return nil
	})
}

// barePod makes a Pod that nobody controls, bound to a node.
func (s *space) barePod(t *testing.T, name, node string, edit func(*corev1.Pod)) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.name, Labels: map[string]string{}, Annotations: map[string]string{}},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "c", Image: "example.test/bare"}}},
	}
	if edit != nil {
		edit(pod)
	}
	made, err := s.Client.CoreV1().Pods(s.name).Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// A23. Orphans are adopted, those of another template then replaced; one on its way out is not adopted, and its successor
// waits; a ReplicaSet's Pod with matching labels is let be; a Pod whose labels no longer match is let go and lives on.
func testAdoptionAndRelease(t *testing.T, s *space) {
	hash := s.hashOf(t, s.daemon("d"))
	orphan := s.barePod(t, "current", s.node(1), func(p *corev1.Pod) {
		p.Labels["app"], p.Labels[hashLabel] = "d", hash
		p.Spec.Containers = s.daemon("d").Spec.Template.Spec.Containers
	})
	older := s.barePod(t, "older", s.node(2), func(p *corev1.Pod) { p.Labels["app"] = "d" })
	ending := s.barePod(t, "ending", s.node(3), func(p *corev1.Pod) {
		p.Labels["app"], p.Annotations["sim.everynode.dev/stuck-terminating"] = "d", "8s"
	})
	s.replicaSet(t, "rs", s.node(4), map[string]string{"app": "d", "role": "rs"})
	harness.Eventually(t, patience, func() error {
		for _, pod := range s.allPods(t) {
			if !ready(pod) {
				return fmt.Errorf("%s is not Ready", pod.Name)
			}
		}
		return nil
	})
	if err := s.Client.CoreV1().Pods(s.name).Delete(t.Context(), ending.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}

	time.Sleep(lag)
	ds := s.create(t, "d")
	s.expect(t, "d", all(4))
	pods := s.expectOn(t, "d", s.nodes(1, 2, 3, 4)...)
	same(t, map[string]*corev1.Pod{s.node(1): orphan}, pods, s.node(1))
	replaced(t, map[string]*corev1.Pod{s.node(2): older, s.node(3): ending}, pods, s.nodes(2, 3)...)
	s.checkHistoryOfOrphans(t, ds, older, ending)

	patch := []byte(`{"metadata":{"labels":{"app":"debug"}}}`)
	if _, err := s.Client.CoreV1().Pods(s.name).Patch(t.Context(), orphan.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, patience, func() error {
		if now := s.pod(t, orphan.Name); metav1.GetControllerOf(now) != nil {
			return fmt.Errorf("Pod %s still has a controller", now.Name)
		}
		return nil
	})
	s.expect(t, "d", all(4))
	after := s.expectOn(t, "d", s.nodes(1, 2, 3, 4)...)
	replaced(t, pods, after, s.node(1))
	same(t, pods, after, s.nodes(2, 3, 4)...)
	free := s.pod(t, orphan.Name)
	if free.UID != orphan.UID || free.DeletionTimestamp != nil || !ready(free) || len(free.OwnerReferences) > 0 {
		t.Errorf("the Pod that was let go: UID %s (was %s), deleted %v, owners %v", free.UID, orphan.UID, free.DeletionTimestamp, free.OwnerReferences)
	}
	s.checkReplicaSet(t, "rs")
}

// checkHistoryOfOrphans: the one of another template was adopted before it was deleted, the ending one never. The namesake of which the hash
// is known may have had Pods too.
func (s *space) checkHistoryOfOrphans(t *testing.T, ds *appsv1.DaemonSet, older, ending *corev1.Pod) {
	t.Helper()
	adopted, overlap := map[types.UID]bool{}, false
	endingGone := false
	for _, e := range s.seen.entries(t) {
		if metav1.IsControlledBy(e.pod, ds) {
			adopted[e.pod.UID] = true
			overlap = overlap || (nodeOf(e.pod) == s.node(3) && !endingGone)
		}
		if e.pod.UID == ending.UID && (e.gone || ended(e.pod)) {
			endingGone = true
		}
	}
	if !adopted[older.UID] {
		t.Error("the orphan of another template was not adopted before it went")
	}
	if adopted[ending.UID] {
		t.Error("the orphan that was on its way out was adopted")
	}
	if overlap {
		t.Errorf("a new Pod came to %s before the orphan there had ended", s.node(3))
	}
}

// hashOf is the revision hash that a DaemonSet gets: it is made, looked at and taken away again.
func (s *space) hashOf(t *testing.T, ds *appsv1.DaemonSet) string {
	t.Helper()
	if _, err := s.Client.AppsV1().DaemonSets(s.name).Create(t.Context(), ds, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var hash string
	harness.Eventually(t, patience, func() error {
		list := s.revisions(t)[ds.Name]
		if len(list) != 1 {
			return fmt.Errorf("%d revisions", len(list))
		}
		hash = list[0].Labels[hashLabel]
		return nil
	})
	s.remove(t, ds.Name, metav1.DeletePropagationForeground)
	harness.Eventually(t, patience, func() error {
		if left := len(s.allPods(t)) + len(s.revisions(t)); left > 0 {
			return fmt.Errorf("%d Pods and revisions are left", left)
		}
		return nil
	})
	return hash
}

// replicaSet makes a ReplicaSet with one Pod on that node, and waits for it.
func (s *space) replicaSet(t *testing.T, name, node string, labels map[string]string) {
	t.Helper()
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.name},
		Spec: appsv1.ReplicaSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "c", Image: "example.test/replica"}}},
			},
		},
	}
	if _, err := s.Client.AppsV1().ReplicaSets(s.name).Create(t.Context(), rs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, patience, func() error {
		got, err := s.Client.AppsV1().ReplicaSets(s.name).Get(t.Context(), name, metav1.GetOptions{})
		if err == nil && got.Status.ReadyReplicas != 1 {
			err = fmt.Errorf("%d Ready replicas", got.Status.ReadyReplicas)
		}
		return err
	})
}

// checkReplicaSet: it made one Pod, which nobody has touched.
func (s *space) checkReplicaSet(t *testing.T, name string) {
	t.Helper()
	uids := map[types.UID]bool{}
	for _, e := range s.seen.entries(t) {
		if ref := metav1.GetControllerOf(e.pod); e.pod.Namespace == s.name && ref != nil && ref.Kind == "ReplicaSet" && ref.Name == name {
			uids[e.pod.UID] = true
			if e.pod.DeletionTimestamp != nil {
				t.Errorf("the ReplicaSet's Pod %s was deleted", e.pod.Name)
			}
		}
	}
	if len(uids) != 1 {
		t.Errorf("the ReplicaSet made %d Pods; want 1", len(uids))
	}
}
