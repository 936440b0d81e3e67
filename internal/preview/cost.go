package preview

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/everynode/everynode/internal/fleet"
)

// Amounts are quantities by the name of the resource, as the API writes them. Those that are 0 are left out.
type Amounts map[corev1.ResourceName]string

// Cost is what the change takes from the nodes, in requests.
type Cost struct {
	// Before and After are for one Pod.
	Before Amounts `json:"podBefore,omitempty"`
	After  Amounts `json:"podAfter"`
	// PerNode is what a node gives up more where a Pod is replaced, and Total the sum over all nodes, gains and losses included.
	PerNode Amounts `json:"perReplacedNode,omitempty"`
	Total   Amounts `json:"total"`
}

func (d *draft) cost(now *fleet.Daemon) Cost {
	var per, total fleet.Resources
	per.Add(now.Requests)
	subtract(&per, d.oldReq, 1)
	for range d.Nodes.Gained {
		total.Add(now.Requests)
	}
	for range d.Nodes.Replaced {
		total.Add(per)
	}
	subtract(&total, d.oldReq, int64(len(d.Nodes.Lost)))
	c := Cost{After: amounts(now.Requests), Total: amounts(total)}
	delete(c.After, corev1.ResourcePods)
	if d.before != nil {
		c.Before, c.PerNode = amounts(d.oldReq), amounts(per)
		delete(c.Before, corev1.ResourcePods)
	}
	return c
}

func subtract(from *fleet.Resources, r fleet.Resources, times int64) {
	minus := fleet.Resources{MilliCPU: -times * r.MilliCPU, Memory: -times * r.Memory, Ephemeral: -times * r.Ephemeral, Pods: -times * r.Pods}
	for name, v := range r.Extended {
		if minus.Extended == nil {
			minus.Extended = map[corev1.ResourceName]int64{}
		}
		minus.Extended[name] = -times * v
	}
	from.Add(minus)
}

func amounts(r fleet.Resources) Amounts {
	out := Amounts{}
	put := func(name corev1.ResourceName, q *resource.Quantity) {
		if !q.IsZero() {
			out[name] = q.String()
		}
	}
	put(corev1.ResourceCPU, resource.NewMilliQuantity(r.MilliCPU, resource.DecimalSI))
	put(corev1.ResourceMemory, resource.NewQuantity(r.Memory, resource.BinarySI))
	put(corev1.ResourceEphemeralStorage, resource.NewQuantity(r.Ephemeral, resource.BinarySI))
	put(corev1.ResourcePods, resource.NewQuantity(r.Pods, resource.DecimalSI))
	for name, v := range r.Extended {
		put(name, resource.NewQuantity(v, resource.DecimalSI))
	}
	return out
}
