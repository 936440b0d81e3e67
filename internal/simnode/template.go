package simnode

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Template describes alike nodes. Empty fields take the defaults: general hardware, zones in turn.
type Template struct {
	// Prefix is the beginning of the names; "node-" when empty.
	Prefix string `json:"prefix,omitempty"`
	// Hardware is "general" or "storage": it gives labels and sizes.
	Hardware string `json:"hardware,omitempty"`
	// Zone is the value of topology.kubernetes.io/zone.
	Zone string `json:"zone,omitempty"`
	// Labels and Annotations are added to those that every simulated node has.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Taints are written key=value:Effect or key:Effect.
	Taints []string `json:"taints,omitempty"`
	// Capacity overrides or adds resources: cpu, memory, pods, ephemeral-storage, example.com/gpu.
	Capacity map[string]string `json:"capacity,omitempty"`
	// Unschedulable makes the nodes cordoned.
	Unschedulable bool `json:"unschedulable,omitempty"`
}

// Nodes makes n nodes whose names continue after the highest number in use among the names given.
func (t Template) Nodes(n int, names []string) ([]corev1.Node, error) {
	if n < 1 {
		return nil, fmt.Errorf("count is %d: use 1 or more", n)
	}
	if room := maxHosts - 1 - len(names); n > room {
		return nil, fmt.Errorf("count is %d: the simulated network has %d addresses, and %d nodes already", n, maxHosts-1, len(names))
	}
	if t.Prefix == "" {
		t.Prefix = defaultPrefix
	}
	first := highest(t.Prefix, names) + 1
	nodes := make([]corev1.Node, 0, n)
	for i := first; i < first+n; i++ {
		node, err := t.node(i)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// highest is the highest number that follows the prefix in any of the names. One of more than 32 bits is no count of
// ours, and nothing may follow it.
func highest(prefix string, names []string) int {
	top := 0
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, prefix)
		if n, err := strconv.ParseInt(rest, 10, 32); ok && err == nil {
			top = max(top, int(n))
		}
	}
	return top
}

func (t Template) node(i int) (corev1.Node, error) {
	kind := general
	if t.Hardware != "" {
		var err error
		if kind, err = kindOf(t.Hardware); err != nil {
			return corev1.Node{}, err
		}
	}
	zone := t.Zone
	if zone == "" {
		zone = zoneOf(i)
	}
	node := newNode(nodeName(t.Prefix, i), zone, kind)
	maps.Copy(node.Labels, t.Labels)
	maps.Copy(node.Annotations, t.Annotations)
	for _, name := range slices.Sorted(maps.Keys(t.Capacity)) { // so that the same one is blamed each time
		value := t.Capacity[name]
		q, err := resource.ParseQuantity(value)
		if err != nil || q.Sign() < 0 || q.AsApproximateFloat64() >= math.MaxInt64 { // kubelets read 100E as 0
			return node, fmt.Errorf("capacity %s=%q is no amount: write it as in a Pod, for example 500m, 4 or 16Gi", name, value)
		}
		node.Status.Capacity[corev1.ResourceName(name)] = q
		node.Status.Allocatable[corev1.ResourceName(name)] = q
	}
	for _, text := range t.Taints {
		taint, err := ParseTaint(text)
		if err != nil {
			return node, err
		}
		node.Spec.Taints = append(node.Spec.Taints, taint)
	}
	if t.Unschedulable {
		cordon(&node)
	}
	return node, check(&node)
}

// ParseTaint reads key=value:Effect or key:Effect.
func ParseTaint(text string) (corev1.Taint, error) {
	effects := []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute}
	pair, effect, ok := strings.Cut(text, ":")
	if !ok || !slices.Contains(effects, corev1.TaintEffect(effect)) {
		return corev1.Taint{}, fmt.Errorf("taint %q: write key=value:Effect or key:Effect, Effect one of NoSchedule, PreferNoSchedule, NoExecute", text)
	}
	key, value, _ := strings.Cut(pair, "=")
	taint := corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}
	if errs := validation.IsQualifiedName(key); len(errs) > 0 {
		return taint, fmt.Errorf("taint %q: its key %s", text, strings.Join(errs, "; "))
	}
	if errs := validation.IsValidLabelValue(value); len(errs) > 0 {
		return taint, fmt.Errorf("taint %q: its value %s", text, strings.Join(errs, "; "))
	}
	return taint, nil
}

// check finds what the API server would refuse or the kubelet ignore, before anything is created.
func check(node *corev1.Node) error {
	if errs := validation.IsDNS1123Subdomain(node.Name); len(errs) > 0 {
		return fmt.Errorf("node %q: metadata.name: %s", node.Name, strings.Join(errs, "; "))
	}
	for _, key := range slices.Sorted(maps.Keys(node.Labels)) {
		errs := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(node.Labels[key])...)
		if len(errs) > 0 {
			return fmt.Errorf("node %q: metadata.labels: %s=%q: %s", node.Name, key, node.Labels[key], strings.Join(errs, "; "))
		}
	}
	if _, problems := readKnobs(node.Annotations); len(problems) > 0 {
		return fmt.Errorf("node %q: metadata.annotations: %s", node.Name, problems[0].text)
	}
	return nil
}
