package simnode

import corev1 "k8s.io/api/core/v1"

// hostPort is a port of the node that a Pod holds. The API server's defaults have made hostPort equal to
// containerPort in Pods that use the host's network, so one field tells all.
type hostPort struct {
	protocol corev1.Protocol
	ip       string
	port     int32
}

const anyIP = "0.0.0.0"

func hostPorts(pod *corev1.Pod) []hostPort {
	var ports []hostPort
	add := func(c *corev1.Container) {
		for _, p := range c.Ports {
			port := hostPort{p.Protocol, p.HostIP, p.HostPort}
			if port.port == 0 {
				continue
			}
			if port.protocol == "" {
				port.protocol = corev1.ProtocolTCP
			}
			if port.ip == "" {
				port.ip = anyIP
			}
			ports = append(ports, port)
		}
	}
	for i := range pod.Spec.InitContainers {
		// Only a sidecar still holds its ports while the Pod runs.
		if c := &pod.Spec.InitContainers[i]; isSidecar(c) {
			add(c)
		}
	}
	for i := range pod.Spec.Containers {
		add(&pod.Spec.Containers[i])
	}
	return ports
}

func (p hostPort) conflicts(other hostPort) bool {
	return p.port == other.port && p.protocol == other.protocol && (p.ip == other.ip || p.ip == anyIP || other.ip == anyIP)
}

func portsTaken(pod *corev1.Pod, running []*corev1.Pod) bool {
	wanted := hostPorts(pod)
	if len(wanted) == 0 {
		return false
	}
	for _, other := range running {
		for _, held := range hostPorts(other) {
			for _, want := range wanted {
				if want.conflicts(held) {
					return true
				}
			}
		}
	}
	return false
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}
