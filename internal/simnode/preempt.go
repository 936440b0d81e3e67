package simnode

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// criticalPriority is where system-critical Pods begin: they may push others off a full node.
const criticalPriority = 2_000_000_000

func isCritical(pod *corev1.Pod) bool {
	return pod.Spec.Priority != nil && *pod.Spec.Priority >= criticalPriority
}

// yields tells whether the Pod must make room for a critical one.
func yields(pod, critical *corev1.Pod) bool {
	if !isCritical(pod) {
		return true
	}
	return *critical.Spec.Priority > *pod.Spec.Priority
}

// victims chooses the Pods to end so that the critical one fits; ok is false when ending all of them would not do.
// As a kubelet does, it spares guaranteed Pods before burstable ones before best-effort ones, and within a class takes
// the Pod that covers most of what is missing, the smaller one of equals.
func victims(critical *corev1.Pod, short []shortage, running []*corev1.Pod) (chosen []*corev1.Pod, ok bool) {
	classes := map[corev1.PodQOSClass][]*corev1.Pod{}
	for _, pod := range running {
		if yields(pod, critical) {
			classes[qosOf(pod)] = append(classes[qosOf(pod)], pod)
		}
	}
	need := needs{}
	for _, s := range short {
		need[s.resource] = s.requested - (s.capacity - s.used)
	}
	best, burst, guaranteed := classes[corev1.PodQOSBestEffort], classes[corev1.PodQOSBurstable], classes[corev1.PodQOSGuaranteed]
	if len(need.less(slices.Concat(best, burst, guaranteed))) > 0 {
		return nil, false
	}
	fromGuaranteed := pick(guaranteed, need.less(slices.Concat(best, burst)))
	fromBurst := pick(burst, need.less(slices.Concat(best, fromGuaranteed)))
	fromBest := pick(best, need.less(slices.Concat(fromBurst, fromGuaranteed)))
	return slices.Concat(fromBest, fromBurst, fromGuaranteed), true
}

func qosOf(pod *corev1.Pod) corev1.PodQOSClass {
	if pod.Status.QOSClass == "" {
		return corev1.PodQOSBurstable
	}
	return pod.Status.QOSClass
}

// needs is what is still missing, by resource.
type needs map[corev1.ResourceName]int64

func frees(pod *corev1.Pod, name corev1.ResourceName) int64 {
	if name == corev1.ResourcePods {
		return 1
	}
	return amount(name, requestsOf(pod)[name])
}

// less is what would be missing still if these Pods ended.
func (n needs) less(pods []*corev1.Pod) needs {
	rest := needs{}
	for name, quantity := range n {
		for _, pod := range pods {
			quantity -= frees(pod, name)
		}
		if quantity > 0 {
			rest[name] = quantity
		}
	}
	return rest
}

// distance is 0 for a Pod that covers all that is missing, and grows with what it leaves uncovered.
func (n needs) distance(pod *corev1.Pod) float64 {
	var sum float64
	for name, quantity := range n {
		if left := float64(quantity - frees(pod, name)); left > 0 {
			sum += left / float64(quantity) * left / float64(quantity)
		}
	}
	return sum
}

func pick(pods []*corev1.Pod, need needs) []*corev1.Pod {
	pods = slices.Clone(pods)
	var chosen []*corev1.Pod
	for len(need) > 0 && len(pods) > 0 {
		best := 0
		for i, pod := range pods {
			d, least := need.distance(pod), need.distance(pods[best])
			if d < least || (d == least && smaller(pod, pods[best])) {
				best = i
			}
		}
		chosen = append(chosen, pods[best])
		need = need.less(pods[best : best+1])
		pods = slices.Delete(pods, best, best+1)
	}
	return chosen
}

func smaller(a, b *corev1.Pod) bool {
	ra, rb := requestsOf(a), requestsOf(b)
	if c := ra.Memory().Cmp(*rb.Memory()); c != 0 {
		return c < 0
	}
	return ra.Cpu().Cmp(*rb.Cpu()) < 0
}
