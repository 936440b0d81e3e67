package simnode

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels that simulated nodes carry beside the well-known ones.
const (
	// HardwareLabel tells the kind of hardware: "general" or "storage".
	HardwareLabel = "everynode.dev/hardware"
	// DiskLabel is "nvme" on nodes that have such disks.
	DiskLabel = "everynode.dev/disk"
)

// DefaultTaint is the taint of the tainted node in every dozen.
var DefaultTaint = corev1.Taint{Key: "dedicated", Value: "special", Effect: corev1.TaintEffectNoSchedule}

// hardware is a kind of machine.
type hardware struct {
	name                       string
	cpu, memory, storage, pods string
	labels                     map[string]string
}

var (
	general = hardware{
		name: "general", cpu: "4", memory: "16Gi", storage: "100Gi", pods: "110",
		labels: map[string]string{HardwareLabel: "general", corev1.LabelInstanceTypeStable: "general-4x16"},
	}
	storage = hardware{
		name: "storage", cpu: "16", memory: "64Gi", storage: "2Ti", pods: "250",
		labels: map[string]string{HardwareLabel: "storage", corev1.LabelInstanceTypeStable: "storage-16x64", DiskLabel: "nvme"},
	}
	kinds = []hardware{general, storage}
	zones = []string{"local-a", "local-b"}
)

func (h hardware) capacity() corev1.ResourceList {
	return quantities(h.cpu, h.memory, h.storage, h.pods)
}

// kindOf finds a kind of hardware by name.
func kindOf(name string) (hardware, error) {
	for _, h := range kinds {
		if h.name == name {
			return h, nil
		}
	}
	return hardware{}, fmt.Errorf("hardware %q is not known: use %q or %q", name, general.name, storage.name)
}

// zoneOf is the zone of the i-th node, counted from 1: the zones take turns.
func zoneOf(i int) string { return zones[(i-1)%len(zones)] }

// newNode is a Node of this kind, with a kubelet at work.
func newNode(name, zone string, h hardware) corev1.Node {
	node := corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:        name,
		Annotations: map[string]string{KubeletAnnotation: Running},
		Labels: map[string]string{
			corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
			corev1.LabelTopologyRegion: "local", corev1.LabelTopologyZone: zone,
		},
	}}
	maps.Copy(node.Labels, h.labels)
	node.Status.Capacity, node.Status.Allocatable = h.capacity(), h.capacity()
	return node
}

// Default is a fleet of n nodes, node-001 and so on. Zones take turns; every third node is storage hardware, the others
// are general. Of every dozen the tenth is cordoned and the eleventh carries DefaultTaint, so that 12 nodes have exactly
// one of each, 1,000 have 83, and fewer than ten have none.
func Default(n int) []corev1.Node {
	nodes := make([]corev1.Node, 0, n)
	for i := 1; i <= n; i++ {
		kind := general
		if i%3 == 0 {
			kind = storage
		}
		node := newNode(nodeName(defaultPrefix, i), zoneOf(i), kind)
		switch i % 12 {
		case 10:
			cordon(&node)
		case 11:
			node.Spec.Taints = append(node.Spec.Taints, DefaultTaint)
		}
		nodes = append(nodes, node)
	}
	return nodes
}

// cordon makes the node unschedulable, with the taint that the node lifecycle controller would add.
func cordon(node *corev1.Node) {
	node.Spec.Unschedulable = true
	node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{
		Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule,
	})
}

const defaultPrefix = "node-"

func nodeName(prefix string, i int) string { return fmt.Sprintf("%s%03d", prefix, i) }
