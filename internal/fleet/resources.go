package fleet

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-helpers/resource"
)

// Version is a parsed resourceVersion. All objects of one API server share the sequence.
type Version uint64

// Resources are amounts: CPU in thousandths of a core, memory and ephemeral storage in bytes, Pods as a count.
type Resources struct {
	MilliCPU, Memory, Ephemeral, Pods int64
	// Extended holds all other resources by name; nil when there are none.
	Extended map[corev1.ResourceName]int64
}

// NewResources reads a resource list.
func NewResources(l corev1.ResourceList) Resources {
	var r Resources
	for name, q := range l {
		r.set(name, q)
	}
	return r
}

func (r *Resources) set(name corev1.ResourceName, q quantity.Quantity) {
	switch name {
	case corev1.ResourceCPU:
		r.MilliCPU = q.MilliValue()
	case corev1.ResourceMemory:
		r.Memory = q.Value()
	case corev1.ResourceEphemeralStorage:
		r.Ephemeral = q.Value()
	case corev1.ResourcePods:
		r.Pods = q.Value()
	default:
		if r.Extended == nil {
			r.Extended = make(map[corev1.ResourceName]int64, 1)
		}
		r.Extended[name] = q.Value()
	}
}

// Add adds o to r.
func (r *Resources) Add(o Resources) {
	r.MilliCPU += o.MilliCPU
	r.Memory += o.Memory
	r.Ephemeral += o.Ephemeral
	r.Pods += o.Pods
	for name, v := range o.Extended {
		if r.Extended == nil {
			r.Extended = make(map[corev1.ResourceName]int64, len(o.Extended))
		}
		r.Extended[name] += v
	}
}

// Equal compares all amounts.
func (r Resources) Equal(o Resources) bool {
	return r.MilliCPU == o.MilliCPU && r.Memory == o.Memory && r.Ephemeral == o.Ephemeral && r.Pods == o.Pods &&
		maps.Equal(r.Extended, o.Extended)
}

// Covers tells whether r has at least as much of everything as o.
func (r Resources) Covers(o Resources) bool {
	for name, v := range o.Extended {
		if r.Extended[name] < v {
			return false
		}
	}
	return r.MilliCPU >= o.MilliCPU && r.Memory >= o.Memory && r.Ephemeral >= o.Ephemeral && r.Pods >= o.Pods
}

// HostPort is a port that a Pod takes on its node.
type HostPort struct {
	IP       string // empty stands for all addresses
	Protocol corev1.Protocol
	Port     int32
}

// Clashes tells whether both cannot be held on one node: same port and protocol, and addresses that overlap.
func (h HostPort) Clashes(o HostPort) bool {
	return h.Port == o.Port && h.Protocol == o.Protocol && (h.wildcard() || o.wildcard() || h.IP == o.IP)
}

func (h HostPort) wildcard() bool { return h.IP == "" || h.IP == "0.0.0.0" || h.IP == "::" }

// requestsOf is what a Pod takes on a node: the scheduler's sum over containers, init containers, sidecars and
// overhead. A limit without a request counts as the request, as the API server's defaulting does for Pods but not for
// templates.
func requestsOf(spec *corev1.PodSpec) Resources {
	if len(spec.InitContainers) == 0 && len(spec.Overhead) == 0 && spec.Resources == nil {
		return sumOf(spec.Containers) // most Pods, and each of their events asks
	}
	return schedulersSum(spec)
}

// sumOf is what containers take that run side by side, added up before it is rounded.
func sumOf(containers []corev1.Container) Resources {
	type amount struct {
		name corev1.ResourceName
		quantity.Quantity
	}
	var few [4]amount
	sums := few[:0]
	plus := func(name corev1.ResourceName, q quantity.Quantity) {
		for i := range sums {
			if sums[i].name == name {
				sums[i].Add(q)
				return
			}
		}
		sums = append(sums, amount{name, q.DeepCopy()})
	}
	for i := range containers {
		asks := &containers[i].Resources
		for name, q := range asks.Requests {
			plus(name, q)
		}
		for name, q := range asks.Limits {
			if _, ok := asks.Requests[name]; !ok {
				plus(name, q)
			}
		}
	}
	var r Resources
	for i := range sums {
		r.set(sums[i].name, sums[i].Quantity)
	}
	r.Pods = 1
	return r
}

func schedulersSum(spec *corev1.PodSpec) Resources {
	pod := &corev1.Pod{Spec: *spec}
	pod.Spec.Containers = limitsAsRequests(spec.Containers)
	pod.Spec.InitContainers = limitsAsRequests(spec.InitContainers)
	r := NewResources(resource.PodRequests(pod, resource.PodResourcesOptions{}))
	r.Pods = 1
	return r
}

func limitsAsRequests(in []corev1.Container) []corev1.Container {
	out := in
	for i := range in {
		for name, limit := range in[i].Resources.Limits {
			if _, ok := in[i].Resources.Requests[name]; ok {
				continue
			}
			if &out[0] == &in[0] {
				out = append([]corev1.Container(nil), in...)
			}
			req := maps.Clone(out[i].Resources.Requests)
			if req == nil {
				req = corev1.ResourceList{}
			}
			req[name] = limit
			out[i].Resources.Requests = req
		}
	}
	return out
}

// hostPortsOf lists the ports that a Pod takes on its node. With hostNetwork each container port is one, as the API
// server's defaulting of Pods has it (U264).
func hostPortsOf(spec *corev1.PodSpec) []HostPort {
	var out []HostPort
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			out = appendPorts(out, c.Ports, spec.HostNetwork)
		}
	}
	for i := range spec.Containers {
		out = appendPorts(out, spec.Containers[i].Ports, spec.HostNetwork)
	}
	return out
}

func appendPorts(out []HostPort, ports []corev1.ContainerPort, hostNetwork bool) []HostPort {
	for _, p := range ports {
		port := p.HostPort
		if port == 0 && hostNetwork {
			port = p.ContainerPort
		}
		if port == 0 {
			continue
		}
		proto := p.Protocol
		if proto == "" {
			proto = corev1.ProtocolTCP
		}
		out = append(out, HostPort{IP: p.HostIP, Protocol: proto, Port: port})
	}
	return out
}
