package apimodel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// List gives all objects of a kind, by key, and the version that this is the state of.
func (s *Server) List(k Kind) ([]metav1.Object, uint64) {
	return inOrder(s.tables[k].objects), s.version
}

// ListAt gives the objects of a kind as they were at a version, as a server does that lags behind.
func (s *Server) ListAt(k Kind, version uint64) []metav1.Object {
	if version >= s.version {
		return inOrder(s.tables[k].objects)
	}
	past := map[Key]metav1.Object{}
	for _, c := range s.tables[k].history {
		if c.Version > version {
			break
		}
		if c.Type == watch.Deleted {
			delete(past, keyOf(c.New))
		} else {
			past[keyOf(c.New)] = c.New
		}
	}
	return inOrder(past)
}

func inOrder(objects map[Key]metav1.Object) []metav1.Object {
	out := make([]metav1.Object, 0, len(objects))
	for _, o := range objects {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b metav1.Object) int {
		if c := strings.Compare(a.GetNamespace(), b.GetNamespace()); c != 0 {
			return c
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return out
}

// After gives the changes of a kind after a version, compacted or not: what a watch that is open will still tell.
func (s *Server) After(k Kind, version uint64) []Change {
	t := s.tables[k]
	return t.history[t.after(version):]
}

// after is where the changes after a version begin.
func (t *table) after(version uint64) int {
	i, _ := slices.BinarySearchFunc(t.history, version+1, func(c Change, v uint64) int { return cmp.Compare(c.Version, v) })
	return i
}

// Watchable tells whether a watch of a kind may start after a version; where that was compacted the error is 410 Gone.
func (s *Server) Watchable(k Kind, version uint64) error {
	if t := s.tables[k]; version < t.compacted {
		return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", version, t.compacted))
	}
	return nil
}

// Compact forgets the changes up to a version: no watch may start before it. ListAt still knows them, for worlds that need
// the past.
func (s *Server) Compact(version uint64) {
	for _, k := range Kinds {
		s.tables[k].compacted = max(s.tables[k].compacted, min(version, s.version))
	}
}
