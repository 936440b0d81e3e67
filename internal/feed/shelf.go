package feed

import (
	"hash/maphash"

	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// shelf has what many Pods have in common, so that it is kept once: the shape of the Pods of one template, and the names of nodes. It
// is emptied when it is full; Pods keep what they have.
type shelf struct {
	seed   maphash.Seed
	shapes map[template]*fleet.Shape
	nodes  map[string]string
}

// template tells Pods apart that are hardly alike; those of one are compared. Pods of one DaemonSet and revision have several: since
// Kubernetes 1.35 the API server copies the zone and the region of the node into their labels.
type template struct {
	owner  types.UID
	labels uint64
}

const (
	shelfShapes = 20_000
	shelfNodes  = 200_000
)

func newShelf() *shelf {
	return &shelf{seed: maphash.MakeSeed(), shapes: map[template]*fleet.Shape{}, nodes: map[string]string{}}
}

// share gives the Pod what others have already.
func (s *shelf) share(p *fleet.Pod) *fleet.Pod {
	t := template{owner: p.Owner, labels: s.sum(p.Labels)}
	if known := s.shapes[t]; known != nil && known.Equal(p.Shape) {
		p.Shape = known
	} else {
		if len(s.shapes) >= shelfShapes {
			clear(s.shapes)
		}
		s.shapes[t] = p.Shape
	}
	if p.On == "" {
		return p
	}
	if name, ok := s.nodes[p.On]; ok {
		p.On = name
		return p
	}
	if len(s.nodes) >= shelfNodes {
		clear(s.nodes)
	}
	s.nodes[p.On] = p.On
	return p
}

// sum is the same for the same labels, whatever order a map has them in.
func (s *shelf) sum(labels map[string]string) uint64 {
	var sum uint64
	for k, v := range labels {
		sum += maphash.String(s.seed, k) ^ 3*maphash.String(s.seed, v)
	}
	return sum
}
