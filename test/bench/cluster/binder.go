package cluster

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"github.com/everynode/everynode/internal/match"
)

// binders is how many bindings are under way at a time.
const binders = 16

// Binder binds Pods that may go to one node only, as kube-scheduler would, but without looking for a place. It costs the
// contender the time of a binding and no CPU.
type Binder struct {
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu     sync.Mutex
	bound  int
	failed error
}

// Bind starts a binder.
func (c *Cluster) Bind(ctx context.Context) *Binder {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	b := &Binder{stop: stop}
	waiting := make(chan *corev1.Pod, 1<<16)
	unbound := fields.OneTermEqualSelector("spec.nodeName", "")
	_, pods := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(cache.NewListWatchFromClient(c.Client.CoreV1().RESTClient(), "pods", Namespace, unbound), c.Client),
		ObjectType:    &corev1.Pod{},
		Handler: handler(func(before, after *corev1.Pod) {
			if before == nil && after != nil {
				select {
				case waiting <- after:
				case <-life.Done():
				}
			}
		}),
	})
	b.ended.Go(func() { pods.RunWithContext(life) })
	for range binders {
		b.ended.Go(func() {
			for {
				select {
				case <-life.Done():
					return
				case pod := <-waiting:
					b.note(life, c.bind(life, pod))
				}
			}
		})
	}
	return b
}

// bind binds one Pod; one that is gone or bound meanwhile is none of its business.
func (c *Cluster) bind(ctx context.Context, pod *corev1.Pod) error {
	node, ok := match.Target(&pod.Spec)
	if !ok {
		return fmt.Errorf("pod %s is pinned to no node", pod.Name)
	}
	err := c.Client.CoreV1().Pods(pod.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func (b *Binder) note(life context.Context, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.bound++
	case life.Err() == nil && b.failed == nil:
		b.failed = fmt.Errorf("the benchmark's binder: %w", err)
	}
}

// Failed is the first binding that was refused.
func (b *Binder) Failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// Stop ends the binder.
func (b *Binder) Stop() error {
	b.stop()
	b.ended.Wait()
	return b.Failed()
}
