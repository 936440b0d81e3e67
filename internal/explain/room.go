package explain

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/everynode/everynode/internal/fleet"
)

// amount is one resource on one node.
type amount struct {
	name             corev1.ResourceName
	want, used, have int64
	show             func(int64) string
}

func (a amount) fits() bool { return a.want == 0 || a.want <= a.have-a.used }

// amounts are what the daemon asks for and what the node has. without is a Pod of the daemon that does not count.
func amounts(want fleet.Resources, n *fleet.Node, without *fleet.Pod) []amount {
	var used fleet.Resources
	for pod := range n.EachPod {
		if pod != without && !pod.Terminal() {
			used.Add(pod.Requests)
		}
	}
	have := n.Allocatable
	out := []amount{
		{corev1.ResourceCPU, want.MilliCPU, used.MilliCPU, have.MilliCPU, cores},
		{corev1.ResourceMemory, want.Memory, used.Memory, have.Memory, binary},
		{corev1.ResourceEphemeralStorage, want.Ephemeral, used.Ephemeral, have.Ephemeral, binary},
		{corev1.ResourcePods, want.Pods, used.Pods, have.Pods, plain},
	}
	for _, name := range slices.Sorted(maps.Keys(want.Extended)) {
		out = append(out, amount{name, want.Extended[name], used.Extended[name], have.Extended[name], plain})
	}
	return slices.DeleteFunc(out, func(a amount) bool { return a.want == 0 })
}

func plain(n int64) string  { return fmt.Sprint(n) }
func cores(n int64) string  { return resource.NewMilliQuantity(n, resource.DecimalSI).String() }
func binary(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }

// room are the checks of resources and host ports.
func (b *Book) room(n *fleet.Node, without *fleet.Pod) []Check {
	var out []Check
	if n.Allocatable.Equal(fleet.Resources{}) {
		out = append(out, Check{What: "room", Pass: true, Subject: "not reported by the node yet", Detail: "left to its kubelet"})
	} else {
		for _, a := range amounts(b.daemon.Requests, n, without) {
			out = append(out, Check{
				What: string(a.name), Pass: a.fits(),
				Subject: "requested " + a.show(a.want), Detail: fmt.Sprintf("used %s of %s", a.show(a.used), a.show(a.have)),
			})
		}
	}
	for _, port := range b.daemon.HostPorts {
		c := Check{What: "port", Pass: true, Subject: fmt.Sprintf("%d/%s", port.Port, port.Protocol), Detail: "free"}
		if holder := holderOf(port, n, without); holder != nil {
			c.Pass, c.Detail = false, "held by Pod "+holder.Key().String()
		}
		out = append(out, c)
	}
	return out
}

// holderOf is the Pod that holds a host port, the first by name.
func holderOf(port fleet.HostPort, n *fleet.Node, without *fleet.Pod) *fleet.Pod {
	var holder *fleet.Pod
	for pod := range n.EachPod {
		if pod == without || pod.Terminal() || !slices.ContainsFunc(pod.HostPorts, port.Clashes) {
			continue
		}
		if holder == nil || pod.Key().String() < holder.Key().String() {
			holder = pod
		}
	}
	return holder
}
