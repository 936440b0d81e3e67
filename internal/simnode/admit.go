package simnode

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
	schedulingcorev1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// shortage is a resource of which the node has too little left, in the units in which a kubelet counts.
type shortage struct {
	resource  corev1.ResourceName
	requested int64
	used      int64
	capacity  int64
}

func (s shortage) refusal() refusal {
	return refusal{
		reason: "OutOf" + string(s.resource),
		message: fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d",
			s.resource, s.requested, s.used, s.capacity),
	}
}

// verdict is the outcome of the checks that a kubelet makes when it first sees a Pod.
type verdict struct {
	shortages []shortage
	others    []refusal // reasons that no amount of room would cure
}

// first is the reason that a kubelet reports; nil when the Pod may run.
func (v verdict) first() *refusal {
	if len(v.shortages) > 0 {
		r := v.shortages[0].refusal()
		return &r
	}
	if len(v.others) > 0 {
		return &v.others[0]
	}
	return nil
}

// admit checks the Pod against the node and the Pods that the kubelet already runs there.
func admit(node *corev1.Node, pod *corev1.Pod, running []*corev1.Pod) verdict {
	if os := pod.Spec.OS; os != nil && string(os.Name) != osOf(node) {
		return verdict{others: []refusal{{"PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"}}}
	}
	v := verdict{shortages: shortages(node, pod, running)}
	predicate := func(name, text string) {
		v.others = append(v.others, refusal{name, fmt.Sprintf("Predicate %s failed: %s", name, text)})
	}
	if fits, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node); !fits || err != nil {
		predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
	}
	if pod.Spec.NodeName != node.Name {
		predicate("NodeName", "node(s) didn't match the requested node name")
	}
	if portsTaken(pod, running) {
		predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
	}
	// A kubelet minds taints only where they would also end a Pod that runs.
	noExecute := func(t *corev1.Taint) bool { return t.Effect == corev1.TaintEffectNoExecute }
	_, untolerated := schedulingcorev1.FindMatchingUntoleratedTaint(klog.Background(), node.Spec.Taints,
		pod.Spec.Tolerations, noExecute, true)
	if untolerated {
		predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
	}
	return v
}

func osOf(node *corev1.Node) string {
	if os := node.Labels[corev1.LabelOSStable]; os != "" {
		return os
	}
	return "linux"
}

// shortages lists what the node lacks for the Pod: Pods first, then cpu, memory, ephemeral storage, then others by name.
func shortages(node *corev1.Node, pod *corev1.Pod, running []*corev1.Pod) []shortage {
	var short []shortage
	if allowed := node.Status.Allocatable.Pods().Value(); int64(len(running))+1 > allowed {
		short = append(short, shortage{corev1.ResourcePods, 1, int64(len(running)), allowed})
	}
	requests := requestsOf(pod)
	names := make([]corev1.ResourceName, 0, len(requests))
	for name := range requests {
		names = append(names, name)
	}
	slices.SortFunc(names, byRank)
	for _, name := range names {
		quantity := requests[name]
		requested := amount(name, quantity)
		allocatable, offered := node.Status.Allocatable[name]
		if requested == 0 || !counted(name) || (!offered && extended(name)) {
			continue // a kubelet does not mind an extended resource that its node never offered
		}
		var used int64
		for _, other := range running {
			used += amount(name, requestsOf(other)[name])
		}
		if capacity := amount(name, allocatable); requested > capacity-used {
			short = append(short, shortage{name, requested, used, capacity})
		}
	}
	return short
}

func requestsOf(pod *corev1.Pod) corev1.ResourceList {
	return resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
}

func amount(name corev1.ResourceName, q resource.Quantity) int64 {
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

var rank = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}

func byRank(a, b corev1.ResourceName) int {
	ia, ib := slices.Index(rank, a), slices.Index(rank, b)
	switch {
	case ia >= 0 && ib >= 0:
		return ia - ib
	case ia >= 0:
		return -1
	case ib >= 0:
		return 1
	}
	return strings.Compare(string(a), string(b))
}

// counted tells whether a kubelet adds the resource up at all.
func counted(name corev1.ResourceName) bool {
	return slices.Contains(rank, name) || extended(name) || strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

// extended tells whether the resource has a domain of its own, such as example.com/gpu.
func extended(name corev1.ResourceName) bool {
	domain, _, qualified := strings.Cut(string(name), "/")
	return qualified && domain != "kubernetes.io" && !strings.HasSuffix(domain, ".kubernetes.io") &&
		!strings.HasPrefix(string(name), corev1.DefaultResourceRequestsPrefix)
}
