package simnode

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// registrars is how many Nodes are created at a time.
const registrars = 16

// Register creates the nodes that do not exist yet, each complete with the status that its kubelet would post first, and
// leaves those that exist as they are. A node that exists and is not simulated is an error.
func Register(ctx context.Context, client kubernetes.Interface, nodes []corev1.Node) error {
	existing, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	places, known := newBook(), map[string]bool{}
	for i := range existing.Items {
		node := &existing.Items[i]
		places.place(node)
		simulated, _ := Simulated(node)
		known[node.Name] = simulated
	}
	var missing []*corev1.Node
	for i := range nodes {
		switch simulated, exists := known[nodes[i].Name]; {
		case exists && !simulated:
			return fmt.Errorf("node %q exists and is not simulated: choose another name, or give it the annotation %s=%s",
				nodes[i].Name, KubeletAnnotation, Running)
		case !exists:
			missing = append(missing, nodes[i].DeepCopy())
		}
	}
	return create(ctx, client, missing, places)
}

func create(ctx context.Context, client kubernetes.Interface, nodes []*corev1.Node, places *book) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(registrars)
	for _, node := range nodes {
		complete(node, places.place(node), time.Now())
		group.Go(func() error {
			_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("creating node %q: %w", node.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// complete fills in the status that the kubelet would post first; a mute kubelet posts none.
func complete(node *corev1.Node, h host, now time.Time) {
	k, _ := readKnobs(node.Annotations)
	if !k.simulated || k.stopped {
		return
	}
	stamp := metav1.NewTime(now.Add(k.skew).Truncate(time.Second))
	patch, _ := describe(node, h, k, stamp)
	patch.apply(&node.Status)
}
