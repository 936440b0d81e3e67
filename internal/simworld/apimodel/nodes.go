package apimodel

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CreateNode makes a Node from a copy of n.
func (s *Server) CreateNode(actor string, n *corev1.Node) (*corev1.Node, error) {
	n = n.DeepCopy()
	if err := s.begin(Nodes, n); err != nil {
		return nil, err
	}
	if err := s.insert(actor, Nodes, n, false); err != nil {
		return nil, err
	}
	return n, nil
}

// GetNode reads a Node.
func (s *Server) GetNode(name string) (*corev1.Node, error) {
	return lookup[*corev1.Node](s, Nodes, Key{Name: name})
}

// UpdateNode writes all of a Node, its status too, as kubelets and the node lifecycle do in two requests.
func (s *Server) UpdateNode(actor string, n *corev1.Node) (*corev1.Node, error) {
	old, err := s.GetNode(n.Name)
	if err != nil {
		return nil, err
	}
	next := n.DeepCopy()
	next.Generation = old.Generation
	if err := s.update(request{actor: actor, kind: Nodes, old: old, next: next}); err != nil {
		return nil, err
	}
	return next, nil
}

// DeleteNode removes a Node.
func (s *Server) DeleteNode(actor, name string) error {
	n, err := s.GetNode(name)
	if err != nil {
		return err
	}
	return s.delete(actor, Nodes, n, metav1.DeleteOptions{}, nil)
}
