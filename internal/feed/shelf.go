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
	nodes  words
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
	shelfLabels = 20_000
)

func newShelf() *shelf {
	return &shelf{seed: maphash.MakeSeed(), shapes: map[template]*fleet.Shape{}, nodes: newWords(shelfNodes)}
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
	p.On = s.nodes.known(p.On)
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

// words are texts that come again and again, so that each is kept once. They are emptied when there are too many.
type words struct {
	all  map[string]string
	most int
}

func newWords(most int) words { return words{all: map[string]string{}, most: most} }

// known is the same text, as it came first.
func (w words) known(text string) string {
	if text == "" {
		return ""
	}
	if first, ok := w.all[text]; ok {
		return first
	}
	if len(w.all) >= w.most {
		clear(w.all)
	}
	w.all[text] = text
	return text
}

// label has the node share the keys and values of its labels with others; its own name is one of them.
func (w words) label(n *fleet.Node) *fleet.Node {
	if len(n.Labels) == 0 {
		return n
	}
	labels := make(map[string]string, len(n.Labels))
	for k, v := range n.Labels {
		if v == n.Name {
			labels[w.known(k)] = n.Name
			continue
		}
		labels[w.known(k)] = w.known(v)
	}
	n.Labels = labels
	return n
}
