package acceptance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

func (s *space) allPods(t *testing.T) []*corev1.Pod {
	t.Helper()
	list, err := s.Client.CoreV1().Pods(s.name).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*corev1.Pod, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, &list.Items[i])
	}
	return out
}

func (s *space) pod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	pod, err := s.Client.CoreV1().Pods(s.name).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// expectOn waits until a DaemonSet has Ready Pods on exactly these nodes, and gives them.
func (s *space) expectOn(t *testing.T, name string, nodes ...string) map[string]*corev1.Pod {
	t.Helper()
	slices.Sort(nodes)
	var pods map[string]*corev1.Pod
	harness.Eventually(t, patience, func() error {
		pods = map[string]*corev1.Pod{}
		var got []string
		for _, pod := range s.allPods(t) {
			if key, ok := ownerOf(pod); !ok || key.name != name {
				continue
			}
			if !ready(pod) || pod.DeletionTimestamp != nil {
				return fmt.Errorf("Pod %s on %s: phase %s, not Ready or being deleted", pod.Name, nodeOf(pod), pod.Status.Phase)
			}
			got = append(got, nodeOf(pod))
			pods[nodeOf(pod)] = pod
		}
		slices.Sort(got)
		if diff := cmp.Diff(nodes, got); diff != "" {
			return fmt.Errorf("nodes of %s/%s (-want +got):\n%s", s.name, name, diff)
		}
		return nil
	})
	return pods
}

// same checks that these nodes have the Pods they had, not restarted.
func same(t *testing.T, before, after map[string]*corev1.Pod, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		a, b := before[node], after[node]
		if a == nil || b == nil || a.UID != b.UID {
			t.Errorf("node %s has not kept its Pod: %s before, %s now", node, identity(a), identity(b))
			continue
		}
		for _, c := range b.Status.ContainerStatuses {
			if c.RestartCount != 0 {
				t.Errorf("Pod %s was restarted %d times", b.Name, c.RestartCount)
			}
		}
	}
}

// replaced checks that these nodes have another Pod than before.
func replaced(t *testing.T, before, after map[string]*corev1.Pod, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		if a, b := before[node], after[node]; a == nil || b == nil || a.UID == b.UID {
			t.Errorf("node %s has no new Pod: %s before, %s now", node, identity(a), identity(b))
		}
	}
}

func identity(pod *corev1.Pod) string {
	if pod == nil {
		return "none"
	}
	return fmt.Sprintf("%s (%s)", pod.Name, pod.UID)
}

// revisions are the ControllerRevisions of a space, by the DaemonSet that controls them.
func (s *space) revisions(t *testing.T) map[string][]*appsv1.ControllerRevision {
	t.Helper()
	list, err := s.Client.AppsV1().ControllerRevisions(s.name).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]*appsv1.ControllerRevision{}
	for i := range list.Items {
		owner := ""
		if ref := metav1.GetControllerOf(&list.Items[i]); ref != nil {
			owner = ref.Name
		}
		out[owner] = append(out[owner], &list.Items[i])
	}
	for _, revisions := range out {
		slices.SortFunc(revisions, func(a, b *appsv1.ControllerRevision) int { return int(a.Revision - b.Revision) })
	}
	return out
}

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// nodeOf is the node that a Pod is bound to, or pinned to by affinity on metadata.name.
func nodeOf(pod *corev1.Pod) string {
	if pod.Spec.NodeName != "" {
		return pod.Spec.NodeName
	}
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, f := range term.MatchFields {
			if f.Key == metav1.ObjectNameField && len(f.Values) == 1 {
				return f.Values[0]
			}
		}
	}
	return ""
}
