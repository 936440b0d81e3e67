package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/test/harness"
)

// TestCorpusTogether runs all DaemonSets of the corpus at once on a control plane with the corpus' nodes: what the API
// server adds to them, and their overlapping selectors, must not change the hand-made answers. Then it pokes each one
// again and again, and nothing may be written.
func TestCorpusTogether(t *testing.T) {
	nodes, sets, want := readCorpus(t)
	c := up(t, "--nodes-file", writeNodes(t, nodes))
	c.makeUnready(t, nodes)
	c.waitForTaints(t, nodes)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "corpus"}}
	if _, err := c.Client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, ds := range sets {
		if _, err := c.Client.AppsV1().DaemonSets(ds.Namespace).Create(t.Context(), ds, metav1.CreateOptions{}); err != nil {
			t.Fatalf("%s: %v", ds.Name, err)
		}
	}
	harness.Eventually(t, settleLimit, func() error {
		got, _, err := c.running(t.Context())
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("nodes that run the corpus (-want +got):\n%s", diff)
		}
		return nil
	})
	c.expectQuiet(t, sets)
	if diff := cmp.Diff(want, byOwner(c.pods.since(t, 0))); diff != "" {
		t.Errorf("nodes in the first versions of all Pods ever created (-want +got):\n%s", diff)
	}
}

// readCorpus gives the nodes, the DaemonSets, and for each one that runs somewhere its nodes, sorted by name.
func readCorpus(t *testing.T) ([]*corev1.Node, []*appsv1.DaemonSet, map[string][]string) {
	t.Helper()
	var nodes []*corev1.Node
	var sets []*appsv1.DaemonSet
	want := map[string][]string{}
	datadriven.RunTest(t, corpusFile, func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "cluster" {
			nodes = corpusNodes(t, d.Input)
			return d.Expected
		}
		ds := corpusDaemonSet(t, d)
		sets = append(sets, ds)
		if names := strings.Fields(d.Expected); names[0] != "nowhere" {
			want[ds.Namespace+"/"+ds.Name] = sorted(names)
		}
		return d.Expected
	})
	return nodes, sets, want
}

// writeNodes makes a nodes file for the lab. Taints that stand for a state of the node are left to the node lifecycle
// controller, which keeps them equal to that state: it comes with the node (cordoned) or later (see makeUnready).
func writeNodes(t *testing.T, nodes []*corev1.Node) string {
	t.Helper()
	size := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	var text []byte
	for _, node := range nodes {
		node = node.DeepCopy()
		node.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}
		node.Status.Capacity, node.Status.Allocatable = size, size
		node.Spec.Unschedulable = hasTaint(node, corev1.TaintNodeUnschedulable)
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeNotReady })
		document, err := yaml.Marshal(node)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, "---\n"...), document...)
	}
	file := filepath.Join(t.TempDir(), "nodes.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// makeUnready lets the kubelets of nodes with the not-ready taint say so; a lab starts only when all nodes are Ready.
func (c *cluster) makeUnready(t *testing.T, nodes []*corev1.Node) {
	t.Helper()
	for _, node := range nodes {
		if hasTaint(node, corev1.TaintNodeNotReady) {
			c.Kubectl(t, "annotate", "node", node.Name, "sim.everynode.dev/not-ready=true")
		}
	}
}

func hasTaint(node *corev1.Node, key string) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == key })
}

// waitForTaints waits until each node has the NoSchedule taints of the corpus and no others.
func (c *cluster) waitForTaints(t *testing.T, nodes []*corev1.Node) {
	t.Helper()
	noSchedule := func(node *corev1.Node) []string {
		texts := []string{}
		for _, taint := range node.Spec.Taints {
			if taint.Effect == corev1.TaintEffectNoSchedule {
				texts = append(texts, taint.ToString())
			}
		}
		return sorted(texts)
	}
	harness.Eventually(t, settleLimit, func() error {
		for _, node := range nodes {
			got, err := c.Client.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if diff := cmp.Diff(noSchedule(node), noSchedule(got)); diff != "" {
				return fmt.Errorf("NoSchedule taints of %s (-want +got):\n%s", node.Name, diff)
			}
		}
		return nil
	})
}

// expectQuiet pokes each DaemonSet twenty times and finds the same Pods and the same revisions as before.
func (c *cluster) expectQuiet(t *testing.T, sets []*appsv1.DaemonSet) {
	t.Helper()
	before, pods := c.revisions(t), len(c.pods.since(t, 0))
	if len(before) != len(sets) {
		t.Errorf("%d ControllerRevisions for %d DaemonSets, want one each", len(before), len(sets))
	}
	for round := range 20 {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"poke":"%d"}}}`, round)
		for _, ds := range sets {
			if _, err := c.Client.AppsV1().DaemonSets(ds.Namespace).Patch(t.Context(), ds.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.sleep(t)
	if diff := cmp.Diff(before, c.revisions(t)); diff != "" {
		t.Errorf("ControllerRevisions and their versions after 20 pokes (-before +after):\n%s", diff)
	}
	lives := c.pods.since(t, 0)
	if len(lives) != pods {
		t.Errorf("%d Pods were created by poking", len(lives)-pods)
	}
	for _, l := range lives {
		if l.gone {
			t.Errorf("Pod %s of %s was deleted", l.name, l.owner)
		}
	}
}

// revisions maps each ControllerRevision to its resourceVersion.
func (c *cluster) revisions(t *testing.T) map[string]string {
	t.Helper()
	list, err := c.Client.AppsV1().ControllerRevisions("corpus").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, revision := range list.Items {
		versions[revision.Name] = revision.ResourceVersion
	}
	return versions
}
