package preview

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
	helpers "k8s.io/component-helpers/resource"

	"github.com/everynode/everynode/internal/fleet"
)

// QuotaExceeded and QuotaUnset are warnings about ResourceQuotas of the namespace.
const (
	QuotaExceeded = "QuotaExceeded"
	QuotaUnset    = "QuotaUnset"
)

// quotas finds quotas that refuse the Pods to be made: for want of room, or because they count what the Pods do not tell.
func (d *draft) quotas(list []*corev1.ResourceQuota) {
	after := templatePod(d.after.Spec.Template.Spec)
	before := &corev1.Pod{}
	if d.before != nil {
		before = templatePod(d.before.Spec.Template.Spec)
	}
	takes, took := usage(after), usage(before)
	for _, q := range list {
		if q.Namespace != d.Namespace || !inScope(q, after) || len(d.Nodes.Gained)+len(d.Nodes.Replaced) == 0 {
			continue
		}
		for _, name := range sortedNames(q.Status.Hard) {
			if d.unset(q, name, after) {
				continue
			}
			var old resource.Quantity
			if d.before != nil && inScope(q, before) {
				old = took[name]
			}
			d.exceeded(q, name, takes[name], old)
		}
	}
}

// exceeded compares what the change takes at its peak with what the quota has left.
func (d *draft) exceeded(q *corev1.ResourceQuota, name corev1.ResourceName, each, old resource.Quantity) {
	more := times(each, len(d.Nodes.Gained)+len(d.Nodes.Replaced))
	more.Sub(times(old, len(d.Nodes.Replaced)+len(d.Nodes.Lost)))
	if d.Rollout.Surging {
		more.Add(times(old, min(d.Rollout.MaxSurge, len(d.Nodes.Replaced)))) // those are not gone yet
	}
	hard, used := q.Status.Hard[name], q.Status.Used[name]
	left := hard.DeepCopy()
	left.Sub(used)
	if more.Sign() <= 0 || more.Cmp(left) <= 0 {
		return
	}
	d.warning(QuotaExceeded, "Raise the quota, or have the daemon take less.",
		"ResourceQuota %s: %s is at %s of %s, and this takes %s more; the API server refuses what goes beyond", q.Name, name, used.String(), hard.String(), more.String())
}

// mustBeSet are the resources that a quota has every container tell, and where.
var mustBeSet = map[corev1.ResourceName]struct {
	of     corev1.ResourceName
	limits bool
}{
	corev1.ResourceCPU: {of: corev1.ResourceCPU}, corev1.ResourceRequestsCPU: {of: corev1.ResourceCPU}, corev1.ResourceLimitsCPU: {corev1.ResourceCPU, true},
	corev1.ResourceMemory: {of: corev1.ResourceMemory}, corev1.ResourceRequestsMemory: {of: corev1.ResourceMemory}, corev1.ResourceLimitsMemory: {corev1.ResourceMemory, true},
}

// unset warns where a quota counts what a container does not tell.
func (d *draft) unset(q *corev1.ResourceQuota, name corev1.ResourceName, pod *corev1.Pod) bool {
	must, ok := mustBeSet[name]
	if !ok || pod.Spec.Resources != nil {
		return false
	}
	var without []string
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		_, told := c.Resources.Limits[must.of]
		if !must.limits && !told {
			_, told = c.Resources.Requests[must.of]
		}
		if !told {
			without = append(without, c.Name)
		}
	}
	if len(without) == 0 {
		return false
	}
	d.warning(QuotaUnset, "Set it for each container.", "ResourceQuota %s counts %s, which container %s does not set: the API server refuses such Pods, unless a LimitRange of the namespace sets it",
		q.Name, name, strings.Join(without, ", "))
	return true
}

func templatePod(spec corev1.PodSpec) *corev1.Pod { return &corev1.Pod{Spec: spec} }

// usage is what a quota counts of a Pod, by the names that quotas have for it.
func usage(pod *corev1.Pod) corev1.ResourceList {
	one := *resource.NewQuantity(1, resource.DecimalSI)
	out := corev1.ResourceList{corev1.ResourcePods: one, "count/pods": one}
	for name, q := range helpers.PodRequests(pod, helpers.PodResourcesOptions{}) {
		out[corev1.DefaultResourceRequestsPrefix+name] = q
		if name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage {
			out[name] = q
		}
	}
	for name, q := range helpers.PodLimits(pod, helpers.PodResourcesOptions{}) {
		out["limits."+name] = q
	}
	return out
}

func times(q resource.Quantity, n int) resource.Quantity {
	q = q.DeepCopy()
	q.Mul(int64(n))
	return q
}

func sortedNames(list corev1.ResourceList) []corev1.ResourceName {
	return sets.List(sets.KeySet(list))
}

// inScope tells whether a quota counts such Pods. What this version does not know of counts them.
func inScope(q *corev1.ResourceQuota, pod *corev1.Pod) bool {
	for _, s := range q.Spec.Scopes {
		if !scoped(corev1.ScopedResourceSelectorRequirement{ScopeName: s, Operator: corev1.ScopeSelectorOpExists}, pod) {
			return false
		}
	}
	if q.Spec.ScopeSelector == nil {
		return true
	}
	for _, r := range q.Spec.ScopeSelector.MatchExpressions {
		if !scoped(r, pod) {
			return false
		}
	}
	return true
}

func scoped(r corev1.ScopedResourceSelectorRequirement, pod *corev1.Pod) bool {
	ends := pod.Spec.ActiveDeadlineSeconds != nil
	switch r.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return ends
	case corev1.ResourceQuotaScopeNotTerminating:
		return !ends
	case corev1.ResourceQuotaScopeBestEffort:
		return bestEffort(pod)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(pod)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return crossesNamespaces(pod.Spec.Affinity)
	case corev1.ResourceQuotaScopePriorityClass:
		class := pod.Spec.PriorityClassName
		switch r.Operator {
		case corev1.ScopeSelectorOpExists:
			return class != ""
		case corev1.ScopeSelectorOpDoesNotExist:
			return class == ""
		case corev1.ScopeSelectorOpNotIn:
			return !slices.Contains(r.Values, class)
		default:
			return slices.Contains(r.Values, class)
		}
	}
	return true
}

// bestEffort tells that no container asks for CPU or memory.
func bestEffort(pod *corev1.Pod) bool {
	var asked fleet.Resources
	for _, list := range []corev1.ResourceList{helpers.PodRequests(pod, helpers.PodResourcesOptions{}), helpers.PodLimits(pod, helpers.PodResourcesOptions{})} {
		asked.Add(fleet.NewResources(list))
	}
	return asked.MilliCPU == 0 && asked.Memory == 0
}

func crossesNamespaces(a *corev1.Affinity) bool {
	if a == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	add := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) {
		terms = append(terms, required...)
		for _, p := range preferred {
			terms = append(terms, p.PodAffinityTerm)
		}
	}
	if p := a.PodAffinity; p != nil {
		add(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if p := a.PodAntiAffinity; p != nil {
		add(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	return slices.ContainsFunc(terms, func(t corev1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil })
}
