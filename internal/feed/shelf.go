package feed

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// shelf has what many Pods have in common, so that it is kept once: the shape of the Pods of one template, and the names of nodes. It
// is emptied when it is full; Pods keep what they have.
type shelf struct {
	shapes map[template]*fleet.Shape
	nodes  map[string]string
}

// template tells Pods apart that are hardly alike; those of one are compared.
type template struct {
	owner types.UID
	hash  string
}

const (
	shelfShapes = 20_000
	shelfNodes  = 200_000
)

func newShelf() *shelf {
	return &shelf{shapes: map[template]*fleet.Shape{}, nodes: map[string]string{}}
}

// share gives the Pod what others have already.
func (s *shelf) share(p *fleet.Pod) *fleet.Pod {
	t := template{owner: p.Owner, hash: p.Hash()}
	if t.hash == "" {
		t.hash = p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	}
	if known := s.shapes[t]; known != nil && known.Equal(p.Shape) {
		p.Shape = known
	} else {
		if len(s.shapes) >= shelfShapes {
			clear(s.shapes)
		}
		s.shapes[t] = p.Shape
	}
	if p.Node == "" {
		return p
	}
	if name, ok := s.nodes[p.Node]; ok {
		p.Node = name
		return p
	}
	if len(s.nodes) >= shelfNodes {
		clear(s.nodes)
	}
	s.nodes[p.Node] = p.Node
	return p
}
