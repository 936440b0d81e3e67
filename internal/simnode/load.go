package simnode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// file is the compact form of a nodes file.
type file struct {
	Groups []group `json:"groups"`
}

type group struct {
	Count    int `json:"count"`
	Template `json:",inline"`
}

// Load reads a nodes file: YAML documents, each either the compact form
//
//	groups:
//	- count: 3
//	  prefix: edge-
//	  hardware: storage
//	  zone: berlin
//	  labels: {disk: ssd}
//	  taints: [dedicated=edge:NoSchedule]
//	  capacity: {cpu: "8", example.com/gpu: "2"}
//	  unschedulable: false
//
// or a Node, a NodeList or a List of Nodes. Unknown fields are errors. Nodes without the annotation
// sim.everynode.dev/kubelet get one that says running.
func Load(path string) ([]corev1.Node, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the nodes file: %w", err)
	}
	nodes, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("nodes file %s: %w", path, err)
	}
	return nodes, nil
}

func parse(data []byte) ([]corev1.Node, error) {
	var nodes []corev1.Node
	docs := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for i := 1; ; i++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		if len(bytes.TrimSpace(doc)) == 0 {
			continue
		}
		if nodes, err = parseDocument(doc, nodes); err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
	}
	if len(nodes) == 0 {
		return nil, errors.New("it holds no nodes: write groups, or Node objects")
	}
	return nodes, unique(nodes)
}

func parseDocument(doc []byte, nodes []corev1.Node) ([]corev1.Node, error) {
	var kind metav1.TypeMeta
	if err := sigsyaml.Unmarshal(doc, &kind); err != nil {
		return nil, err
	}
	var more []corev1.Node
	switch kind.Kind {
	case "":
		var f file
		if err := sigsyaml.UnmarshalStrict(doc, &f); err != nil {
			return nil, fmt.Errorf("%w (a group has count, prefix, hardware, zone, labels, annotations, taints, capacity, unschedulable)", err)
		}
		return expand(f, nodes)
	case "Node":
		var node corev1.Node
		if err := sigsyaml.UnmarshalStrict(doc, &node); err != nil {
			return nil, err
		}
		more = append(more, node)
	case "NodeList", "List":
		var list struct {
			metav1.TypeMeta `json:",inline"`
			metav1.ListMeta `json:"metadata"`
			Items           []runtime.RawExtension `json:"items"`
		}
		if err := sigsyaml.UnmarshalStrict(doc, &list); err != nil {
			return nil, err
		}
		for i, item := range list.Items {
			var node corev1.Node
			if err := sigsyaml.UnmarshalStrict(item.Raw, &node); err != nil {
				return nil, fmt.Errorf("items[%d]: %w", i, err)
			}
			more = append(more, node)
		}
	default:
		return nil, fmt.Errorf("kind %q: use Node, NodeList, List, or the compact form with groups", kind.Kind)
	}
	for i := range more {
		if err := adopt(&more[i]); err != nil {
			return nil, err
		}
	}
	return append(nodes, more...), nil
}

func expand(f file, nodes []corev1.Node) ([]corev1.Node, error) {
	for i, g := range f.Groups {
		more, err := g.Nodes(g.Count, nodeNames(nodes))
		if err != nil {
			return nil, fmt.Errorf("groups[%d]: %w", i, err)
		}
		nodes = append(nodes, more...)
	}
	return nodes, nil
}

// adopt makes a Node from a file fit to be created: whatever another cluster's server has written into it goes.
func adopt(node *corev1.Node) error {
	if node.Kind != "" && (node.Kind != "Node" || node.APIVersion != "v1") {
		return fmt.Errorf("object %q: it is %s %s: only v1 Nodes belong here", node.Name, node.APIVersion, node.Kind)
	}
	node.ResourceVersion, node.UID, node.ManagedFields = "", "", nil
	if node.Annotations == nil {
		node.Annotations = map[string]string{}
	}
	if node.Annotations[KubeletAnnotation] == "" {
		node.Annotations[KubeletAnnotation] = Running
	}
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	if node.Labels[corev1.LabelHostname] == "" {
		node.Labels[corev1.LabelHostname] = node.Name
	}
	if node.Labels[corev1.LabelOSStable] == "" {
		node.Labels[corev1.LabelOSStable] = "linux"
	}
	node.Status.Conditions = nil // the kubelet's to post
	return check(node)
}

func unique(nodes []corev1.Node) error {
	seen := map[string]bool{}
	for i := range nodes {
		if seen[nodes[i].Name] {
			return fmt.Errorf("node %q appears twice: give each a name of its own", nodes[i].Name)
		}
		seen[nodes[i].Name] = true
	}
	return nil
}

func nodeNames(nodes []corev1.Node) []string {
	list := make([]string, len(nodes))
	for i := range nodes {
		list[i] = nodes[i].Name
	}
	return list
}
