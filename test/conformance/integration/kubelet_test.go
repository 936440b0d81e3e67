package integration

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/test/harness"
)

// heartbeat is well below the time after which the node controller gives a silent node up.
const heartbeat = 10 * time.Second

// kubelets does once what the nodes' kubelets would do: each bound Pod becomes Ready, each deleted one ends, and the
// nodes say that they live.
func (w *world) kubelets() {
	w.Helper()
	pods, err := w.lab.Client.CoreV1().Pods(w.namespace).List(w.Context(), metav1.ListOptions{})
	w.must(err)
	for i := range pods.Items {
		w.must(ignoreRaces(w.kubelet(&pods.Items[i])))
	}
	if time.Since(w.beaten) > heartbeat {
		w.beaten = time.Now()
		w.beat()
	}
}

func (w *world) kubelet(pod *corev1.Pod) error {
	client := w.lab.Client.CoreV1().Pods(w.namespace)
	switch {
	case pod.Spec.NodeName == "" || ended(pod):
		return nil
	case pod.DeletionTimestamp != nil:
		return client.Delete(w.Context(), pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: ptr.To[int64](0), Preconditions: &metav1.Preconditions{UID: &pod.UID},
		})
	case isReady(pod):
		return nil
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	_, err := client.UpdateStatus(w.Context(), pod, metav1.UpdateOptions{})
	return err
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (w *world) beat() {
	w.Helper()
	nodes, err := w.lab.Client.CoreV1().Nodes().List(w.Context(), metav1.ListOptions{})
	w.must(err)
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","lastHeartbeatTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339))
	for _, n := range nodes.Items {
		_, err := w.lab.Client.CoreV1().Nodes().Patch(w.Context(), n.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		w.must(err)
	}
}

// ignoreRaces drops what a kubelet, too, would find on its next look: the Pod changed or is gone.
func ignoreRaces(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// clear leaves no DaemonSet, Pod or node to the next scenario. It runs when the test's own context has ended.
func (w *world) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	core := w.lab.Client.CoreV1()
	w.must(w.lab.Client.AppsV1().DaemonSets(w.namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	harness.Eventually(w, limit, func() error {
		pods, err := core.Pods(w.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for i := range pods.Items {
			if err := w.remove(ctx, &pods.Items[i]); err != nil {
				return err
			}
		}
		sets, err := w.lab.Client.AppsV1().DaemonSets(w.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if len(sets.Items)+len(pods.Items) > 0 {
			return fmt.Errorf("%d DaemonSets and %d Pods are left", len(sets.Items), len(pods.Items))
		}
		return nil
	})
	w.must(core.Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	w.must(core.Namespaces().Delete(ctx, w.namespace, metav1.DeleteOptions{}))
}

func (w *world) remove(ctx context.Context, pod *corev1.Pod) error {
	client := w.lab.Client.CoreV1().Pods(w.namespace)
	if len(pod.Finalizers) > 0 {
		patch := []byte(`{"metadata":{"finalizers":null}}`)
		if _, err := client.Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}); ignoreRaces(err) != nil {
			return err
		}
	}
	return ignoreRaces(client.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}))
}
