package feed

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/fleet"
)

// The Pods of two DaemonSets on a thousand nodes in three zones, in the order in which nodes come up: six shapes.
func TestPodsOfATemplateAreKeptOnceForEachZone(t *testing.T) {
	s, shapes, names := newShelf(), map[*fleet.Shape]int{}, map[string]int{}
	for i := range 2000 {
		owner, node := fmt.Sprint("agent-", i%2), fmt.Sprint("n", i/2)
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: fmt.Sprint(owner, "-", i)}}
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: owner, UID: types.UID(owner), Controller: ptr.To(true)}}
		pod.Labels = map[string]string{"app": owner, "controller-revision-hash": "5f", "topology.kubernetes.io/zone": fmt.Sprint("z", i/2%3)}
		pod.Spec.NodeName = node
		p := s.share(fleet.NewPod(pod, 1, ""))
		if p.Labels["app"] != owner || p.Labels["topology.kubernetes.io/zone"] != pod.Labels["topology.kubernetes.io/zone"] || p.Node() != node {
			t.Fatalf("Pod %s of node %s came out with labels %v on node %s", p.Name, node, p.Labels, p.Node())
		}
		shapes[p.Shape]++
		names[p.Node()]++
	}
	if len(shapes) != 6 || len(names) != 1000 {
		t.Errorf("%d shapes and %d nodes' names, want 6 and 1000", len(shapes), len(names))
	}
	for shape, n := range shapes {
		if n < 300 {
			t.Errorf("the shape of %s in %s is that of %d Pods, want a sixth of 2000", shape.OwnerName, shape.Labels["topology.kubernetes.io/zone"], n)
		}
	}
}

// Keys and values of labels come with each node anew, and are kept once; the node's own name as a value is its name.
func TestTextsOfNodesLabelsAreKeptOnce(t *testing.T) {
	reader, texts := nodeReader(), map[*byte]string{}
	for i := range 100 {
		name := fmt.Sprint("node-", i)
		o := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			strings.Clone("kubernetes.io/os"): strings.Clone("linux"), strings.Clone("kubernetes.io/hostname"): strings.Clone(name), strings.Clone("pool"): fmt.Sprint("p", i%4),
		}}}
		want := maps.Clone(o.Labels)
		n := reader.read(o, 1)
		if !maps.Equal(n.Labels, want) || !maps.Equal(o.Labels, want) {
			t.Fatalf("node %s came out with labels %v, want %v, and left %v", name, n.Labels, want, o.Labels)
		}
		for k, v := range n.Labels {
			texts[unsafe.StringData(k)], texts[unsafe.StringData(v)] = k, v
		}
	}
	// Three keys, one system, four pools, and a hundred names that no other node has.
	if len(texts) != 3+1+4+100 {
		t.Errorf("%d texts are kept, want 108", len(texts))
	}
	if n := reader.read(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "bare"}}, 1); len(n.Labels) != 0 {
		t.Errorf("a node without labels has %v", n.Labels)
	}
}

// A shelf that has had more kinds of Pods than it keeps goes on with what comes.
func TestAFullShelfIsEmptied(t *testing.T) {
	s := newShelf()
	for i := range shelfShapes + 5 {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "jobs", Name: fmt.Sprint("job-", i), Labels: map[string]string{"job-name": fmt.Sprint("job-", i)}}}
		if p := s.share(fleet.NewPod(pod, 1, "")); p.Labels["job-name"] != pod.Labels["job-name"] {
			t.Fatalf("job %d came out with labels %v", i, p.Labels)
		}
	}
	if got := len(s.shapes); got != 5 {
		t.Errorf("the shelf has %d shapes, want the 5 that came after it was full", got)
	}
}
