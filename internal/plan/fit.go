package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/everynode/everynode/internal/fleet"
)

// criticalPriority is where a kubelet begins to evict lesser Pods to admit one (U331).
const criticalPriority = 2_000_000_000

// misfit says what on the node would make its kubelet reject a Pod of the daemon, or nil. Only with direct placement:
// elsewhere the scheduler looks. Without is a Pod that would be gone by then; it may be nil.
func (p *planner) misfit(s *fleet.Slot, without *fleet.Pod) *fleet.Reason {
	if p.Placement != Direct {
		return nil
	}
	var used fleet.Resources
	var holder *fleet.Pod
	var port fleet.HostPort
	for pod := range s.Node.EachPod {
		if pod == without || pod.Terminal() {
			continue
		}
		if clash, ok := clashing(p.d.HostPorts, pod.HostPorts); ok {
			if holder == nil || cmp.Compare(pod.Key().String(), holder.Key().String()) < 0 {
				holder, port = pod, clash
			}
		}
		if !p.evicts(pod) {
			used.Add(pod.Requests)
		}
	}
	if holder != nil {
		return &fleet.Reason{Code: fleet.PortTaken, Detail: fmt.Sprintf("host port %d/%s is held by Pod %s", port.Port, port.Protocol, holder.Key())}
	}
	return shortage(p.d.Requests, used, s.Node.Allocatable)
}

// evicts tells whether the kubelet would end that Pod to make room for a critical daemon.
func (p *planner) evicts(pod *fleet.Pod) bool {
	return p.d.Priority >= criticalPriority && pod.Priority < criticalPriority
}

func clashing(want, have []fleet.HostPort) (fleet.HostPort, bool) {
	for _, w := range want {
		for _, h := range have {
			if w.Clashes(h) {
				return w, true
			}
		}
	}
	return fleet.HostPort{}, false
}

// shortage names the first resource of which the node has too little, with the numbers. A node that has not reported
// what it has yet is left to its kubelet.
func shortage(want, used, have fleet.Resources) *fleet.Reason {
	if have.Equal(fleet.Resources{}) {
		return nil
	}
	short := func(name corev1.ResourceName, want, used, have int64, f func(int64) string) *fleet.Reason {
		if want == 0 || want <= have-used { // the sum could overflow
			return nil
		}
		return &fleet.Reason{Code: fleet.NoRoom, Detail: fmt.Sprintf("%s: requested %s, used %s of %s", name, f(want), f(used), f(have))}
	}
	if r := short(corev1.ResourcePods, want.Pods, used.Pods, have.Pods, plain); r != nil {
		return r
	}
	if r := short(corev1.ResourceCPU, want.MilliCPU, used.MilliCPU, have.MilliCPU, cores); r != nil {
		return r
	}
	if r := short(corev1.ResourceMemory, want.Memory, used.Memory, have.Memory, bytes); r != nil {
		return r
	}
	if r := short(corev1.ResourceEphemeralStorage, want.Ephemeral, used.Ephemeral, have.Ephemeral, bytes); r != nil {
		return r
	}
	for _, name := range slices.Sorted(maps.Keys(want.Extended)) {
		if r := short(name, want.Extended[name], used.Extended[name], have.Extended[name], plain); r != nil {
			return r
		}
	}
	return nil
}

func plain(n int64) string { return fmt.Sprint(n) }
func cores(n int64) string { return resource.NewMilliQuantity(n, resource.DecimalSI).String() }
func bytes(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }
