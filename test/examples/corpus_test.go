package examples

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// corpusFile holds the cluster, the DaemonSets and the hand-made answers.
const corpusFile = "testdata/corpus.txt"

// TestCorpus asks the room that decides about placement where each DaemonSet of the corpus should run.
func TestCorpus(t *testing.T) {
	var nodes []*corev1.Node
	seen := map[string]bool{}
	datadriven.RunTest(t, corpusFile, func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "cluster":
			nodes = corpusNodes(t, d.Input)
			return fmt.Sprintf("%d nodes\n", len(nodes))
		case "place":
			ds := corpusDaemonSet(t, d)
			if seen[ds.Name] {
				d.Fatalf(t, "%s occurs twice", ds.Name)
			}
			seen[ds.Name] = true
			return placement(nodes, ds) + "\n"
		}
		d.Fatalf(t, "no command %q; use cluster or place", d.Cmd)
		return ""
	})
	for i := 1; i <= 40; i++ {
		id := fmt.Sprintf("m%02d", i)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(name string) bool { return name == id || strings.HasPrefix(name, id+"-") }) {
			t.Errorf("the corpus has no entry for %s", strings.ToUpper(id))
		}
	}
}

// placement names the nodes that should run the DaemonSet, in the order of the cluster.
func placement(nodes []*corev1.Node, ds *appsv1.DaemonSet) string {
	matcher := match.New(ds)
	var names []string
	for _, node := range nodes {
		if matcher.Verdict(fleet.NewNode(node, 1)).ShouldRun() {
			names = append(names, node.Name)
		}
	}
	if len(names) == 0 {
		return "nowhere"
	}
	return strings.Join(names, " ")
}

// corpusNodes reads one node a line: its name, then label:key=value and taint:key=value:effect.
func corpusNodes(t *testing.T, input string) []*corev1.Node {
	t.Helper()
	var nodes []*corev1.Node
	for _, line := range strings.Split(strings.TrimSpace(input), "\n") {
		words := strings.Fields(line)
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: words[0], Labels: map[string]string{
			corev1.LabelHostname: words[0], corev1.LabelOSStable: "linux", "beta.kubernetes.io/os": "linux",
			corev1.LabelArchStable: "amd64", "beta.kubernetes.io/arch": "amd64",
		}}}
		for _, word := range words[1:] {
			kind, rest, _ := strings.Cut(word, ":")
			key, value, ok := strings.Cut(rest, "=")
			switch {
			case kind == "label" && ok:
				node.Labels[key] = value
			case kind == "taint" && ok:
				value, effect, _ := strings.Cut(value, ":")
				node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)})
			default:
				t.Fatalf("node %s: %q is neither label:key=value nor taint:key=value:effect", words[0], word)
			}
		}
		nodes = append(nodes, node)
	}
	return nodes
}

// entry is what the corpus says of one DaemonSet.
type entry struct {
	UpdateStrategy       appsv1.DaemonSetUpdateStrategy `json:"updateStrategy"`
	MinReadySeconds      int32                          `json:"minReadySeconds"`
	RevisionHistoryLimit *int32                         `json:"revisionHistoryLimit"`
	// Labels are the template's labels and the selector; without them the id is both.
	Labels map[string]string `json:"labels"`
	// Ports are those of the one container.
	Ports []corev1.ContainerPort `json:"ports"`
	Pod   corev1.PodSpec         `json:"pod"`
}

// corpusDaemonSet reads an entry, and refuses fields that it does not know.
func corpusDaemonSet(t *testing.T, d *datadriven.TestData) *appsv1.DaemonSet {
	t.Helper()
	var id string
	d.ScanArgs(t, "id", &id)
	var e entry
	if err := yaml.UnmarshalStrict([]byte(d.Input), &e); err != nil {
		d.Fatalf(t, "%s: %v", id, err)
	}
	name := strings.ToLower(id)
	if e.Labels == nil {
		e.Labels = map[string]string{"app": name}
	}
	e.Pod.Containers = []corev1.Container{{Name: "daemon", Image: "registry.k8s.io/pause:3.10.1", Ports: e.Ports}}
	return &appsv1.DaemonSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "corpus", Name: name},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: e.Labels},
			UpdateStrategy: e.UpdateStrategy, MinReadySeconds: e.MinReadySeconds, RevisionHistoryLimit: e.RevisionHistoryLimit,
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: e.Labels}, Spec: e.Pod},
		},
	}
}
