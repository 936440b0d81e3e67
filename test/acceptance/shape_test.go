package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/test/harness"
)

// shaped is A25's template: a toleration of the user's, required and preferred affinity.
func shaped(ds *appsv1.DaemonSet) {
	spec := &ds.Spec.Template.Spec
	spec.Tolerations = []corev1.Toleration{
		{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](30)},
		{Key: "mine", Operator: corev1.TolerationOpExists},
	}
	spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelOSStable, Operator: corev1.NodeSelectorOpIn, Values: []string{"linux"}}},
		}}},
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 7, Preference: corev1.NodeSelectorTerm{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}}},
		}}},
	}}
}

// tolerated are the tolerations of each Pod of the daemon; hostNetwork adds one.
var tolerated = []string{
	"mine Exists: <nil>",
	"node.kubernetes.io/disk-pressure Exists:NoSchedule <nil>",
	"node.kubernetes.io/memory-pressure Exists:NoSchedule <nil>",
	"node.kubernetes.io/not-ready Exists:NoExecute <nil>",
	"node.kubernetes.io/pid-pressure Exists:NoSchedule <nil>",
	"node.kubernetes.io/unreachable Exists:NoExecute <nil>",
	"node.kubernetes.io/unschedulable Exists:NoSchedule <nil>",
}

// A25, direct placement. Node 1 is cordoned, node 2 under all pressures, node 3 without network, node 4 not ready, and
// node 5's hostname label is another's.
func testShapeDirect(t *testing.T, s *space) {
	s.breakNodes(t)
	ds := s.create(t, "d", shaped)
	template := s.get(t, "d").Spec.Template
	s.expect(t, "d", all(3))
	s.expectOn(t, "d", s.nodes(1, 2, 5)...)
	for _, pod := range s.seen.of(t, s.name, "d").firsts {
		s.checkShape(t, ds, pod, tolerated)
		required := pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		if diff := cmp.Diff(template.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution, required); diff != "" {
			t.Errorf("required affinity of %s (-template +Pod):\n%s", pod.Name, diff)
		}
		if pod.Spec.NodeName == "" {
			t.Errorf("Pod %s had no spec.nodeName in its first version", pod.Name)
		}
	}

	s.update(t, "d", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.HostNetwork = true })
	s.expect(t, "d", all(4))
	pods := s.expectOn(t, "d", s.nodes(1, 2, 3, 5)...)
	withNetwork := append(slices.Clone(tolerated), "node.kubernetes.io/network-unavailable Exists:NoSchedule <nil>")
	for _, pod := range pods {
		s.checkShape(t, s.get(t, "d"), pod, withNetwork)
	}
	template.Spec.HostNetwork = true
	if diff := cmp.Diff(template, s.get(t, "d").Spec.Template); diff != "" {
		t.Errorf("the stored template was changed (-want +got):\n%s", diff)
	}
	if h := s.seen.of(t, s.name, "d"); h.mostPerNode() != 1 || slices.ContainsFunc(h.firsts, func(p *corev1.Pod) bool { return nodeOf(p) == s.node(4) }) {
		t.Errorf("at most %d Pods on a node; want 1, and none ever on %s", h.mostPerNode(), s.node(4))
	}
}

// breakNodes brings nodes 2, 3 and 4 into their states, and waits for the taints that the node lifecycle controller gives.
func (s *space) breakNodes(t *testing.T) {
	t.Helper()
	condition := []byte(`{"status":{"conditions":[{"type":"NetworkUnavailable","status":"True","reason":"Test"}]}}`)
	_, err := s.Client.CoreV1().Nodes().Patch(t.Context(), s.node(3), types.StrategicMergePatchType, condition, metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	s.changeNode(t, s.node(4), func(n *corev1.Node) { n.Annotations["sim.everynode.dev/not-ready"] = "true" })
	want := map[string][]string{
		s.node(1): {corev1.TaintNodeUnschedulable},
		s.node(2): {corev1.TaintNodeDiskPressure, corev1.TaintNodeMemoryPressure, corev1.TaintNodePIDPressure},
		s.node(3): {corev1.TaintNodeNetworkUnavailable},
		s.node(4): {corev1.TaintNodeNotReady},
	}
	harness.Eventually(t, patience, func() error {
		for name, keys := range want {
			node, err := s.Client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			for _, key := range keys {
				if !slices.ContainsFunc(node.Spec.Taints, func(x corev1.Taint) bool { return x.Key == key && x.Effect == corev1.TaintEffectNoSchedule }) {
					return fmt.Errorf("node %s has no taint %s:NoSchedule", name, key)
				}
			}
		}
		return nil
	})
	time.Sleep(lag)
}

// checkShape compares what both ways of placement have in common.
func (s *space) checkShape(t *testing.T, ds *appsv1.DaemonSet, pod *corev1.Pod, tolerations []string) {
	t.Helper()
	var tolerates []string
	for _, x := range pod.Spec.Tolerations {
		seconds := "<nil>"
		if x.TolerationSeconds != nil {
			seconds = fmt.Sprint(*x.TolerationSeconds)
		}
		tolerates = append(tolerates, fmt.Sprintf("%s %s:%s %s", x.Key, x.Operator, x.Effect, seconds))
	}
	slices.Sort(tolerates)
	want := slices.Sorted(slices.Values(tolerations))
	if diff := cmp.Diff(want, tolerates); diff != "" {
		t.Errorf("tolerations of %s (-want +got):\n%s", pod.Name, diff)
	}
	owners := []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: ds.Name, UID: ds.UID, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}}
	if diff := cmp.Diff(owners, pod.OwnerReferences); diff != "" {
		t.Errorf("owners of %s (-want +got):\n%s", pod.Name, diff)
	}
	revisions := s.revisions(t)[ds.Name]
	labels := map[string]string{
		"app": ds.Name, hashLabel: revisions[len(revisions)-1].Labels[hashLabel],
		"pod-template-generation": ds.Annotations[appsv1.DeprecatedTemplateGeneration],
	}
	got := maps.Clone(pod.Labels)
	for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelTopologyRegion} {
		delete(got, key) // the API server copies them from the node to each Pod that is bound
	}
	if diff := cmp.Diff(labels, got); diff != "" {
		t.Errorf("labels of %s (-want +got):\n%s", pod.Name, diff)
	}
	if pod.GenerateName != ds.Name+"-" || !strings.HasPrefix(pod.Name, ds.Name+"-") || len(pod.Name) < len(ds.Name)+11 {
		t.Errorf("name %s, generateName %s; want %s- and ten characters or more", pod.Name, pod.GenerateName, ds.Name)
	}
	preferred := ds.Spec.Template.Spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	if diff := cmp.Diff(preferred, pod.Spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution); diff != "" {
		t.Errorf("preferred affinity of %s (-template +Pod):\n%s", pod.Name, diff)
	}
}

// A25, scheduler placement: Pods are born without a node and with one required term, the node's name; the real scheduler
// binds them there.
func TestShapeWithScheduler(t *testing.T) {
	c := up(t, "--placement", "scheduler", "--nodes-file", nodesFile(t, `
groups:
- {count: 1, prefix: pinned-, labels: {group: pinned}, unschedulable: true}
- {count: 1, prefix: pinned-, labels: {group: pinned, kubernetes.io/hostname: other}}
- {count: 1, prefix: pinned-, labels: {group: pinned}, taints: ["x:NoSchedule"]}
`))
	s := c.space(t, "pinned")
	ds := s.create(t, "d", shaped)
	s.expect(t, "d", all(2))
	s.expectOn(t, "d", s.nodes(1, 2)...)
	firsts := s.seen.of(t, s.name, "d").firsts
	if len(firsts) != 2 {
		t.Errorf("%d Pods were made; want 2", len(firsts))
	}
	for _, pod := range firsts {
		s.checkShape(t, ds, pod, tolerated)
		if pod.Spec.NodeName != "" {
			t.Errorf("Pod %s had spec.nodeName %s in its first version", pod.Name, pod.Spec.NodeName)
		}
		want := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{nodeOf(pod)}}},
		}}}
		if diff := cmp.Diff(want, pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution); diff != "" {
			t.Errorf("required affinity of %s (-want +got):\n%s", pod.Name, diff)
		}
	}
	for _, pod := range s.seen.of(t, s.name, "d").latest {
		if pinned := pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0].Values[0]; pinned != pod.Spec.NodeName {
			t.Errorf("Pod %s is pinned to %s and runs on %s", pod.Name, pinned, pod.Spec.NodeName)
		}
	}
	// The scheduler is what looks at room here: a Pod that fits nowhere stays Pending, and is no duplicate.
	s.create(t, "big", cpu("64"))
	s.expect(t, "big", counts{desired: 2, current: 2, updated: 2})
	if h := s.seen.of(t, s.name, "big"); len(h.firsts) != 2 {
		t.Errorf("%d Pods of big were made; want 2", len(h.firsts))
	}
}
