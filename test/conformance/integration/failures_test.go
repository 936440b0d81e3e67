package integration

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/test/harness"
)

// ending is how a daemon ends that should never end.
type ending struct {
	phase     corev1.PodPhase
	finalizer bool
}

// restarts: an ended Pod is deleted and another one takes its place; the other nodes' Pods stay as they are. One that a
// finalizer holds back keeps no node waiting.
func restarts(how ending) func(*world) {
	return func(w *world) {
		w.daemonSet("foo", func(ds *appsv1.DaemonSet) {
			if how.finalizer {
				ds.Spec.Template.Finalizers = []string{"test.everynode.dev/hold"}
			}
		})
		for i := range 3 {
			w.node(fmt.Sprint(i))
		}
		w.settles("foo", all(3))
		before := w.pods("foo")
		victim := before[0]
		victim.Status.Phase = how.phase
		_, err := w.lab.Client.CoreV1().Pods(w.namespace).UpdateStatus(w.Context(), &victim, metav1.UpdateOptions{})
		w.must(err)

		after := w.reaches("foo", 3)
		same := 0
		for _, pod := range after {
			switch pod.UID {
			case victim.UID:
				w.Errorf("Pod %s ended and is still active", pod.Name)
			case before[1].UID, before[2].UID:
				same++
			}
		}
		if same != 2 {
			w.Errorf("%d of the two other Pods were left alone", same)
		}
		w.settles("foo", all(3))
		w.want("foo", "0 1 2")
		w.leaves("foo", victim.UID, how.finalizer)
	}
}

// leaves wants the Pod to be gone, or deleted and held.
func (w *world) leaves(name string, uid types.UID, held bool) {
	w.Helper()
	harness.Eventually(w, limit, func() error {
		for _, pod := range w.pods(name) {
			switch {
			case pod.UID != uid:
			case held && pod.DeletionTimestamp != nil:
				return nil
			default:
				return fmt.Errorf("Pod %s is %s and deleted at %v; held by a finalizer: %v", pod.Name, pod.Status.Phase, pod.DeletionTimestamp, held)
			}
		}
		if held {
			return fmt.Errorf("the held Pod is gone")
		}
		return nil
	})
}

// creationFailure: the status tells of what there is, also when the server refuses some of the Pods; and they come as
// soon as it accepts them. Upstream's test has an admission plugin of its own for this, here it is a quota.
func creationFailure(w *world) {
	w.quota("2")
	for i := range 5 {
		w.node(fmt.Sprint(i))
	}
	w.daemonSet("foo")
	w.settles("foo", counts{pods: 2, desired: 5, current: 2, ready: 2, updated: 2})
	w.event("foo", "FailedCreate", "exceeded quota")

	w.quota("5")
	w.settles("foo", all(5))
	w.want("foo", "0 1 2 3 4")
}

// quota limits the namespace's Pods, and waits until the server knows.
func (w *world) quota(pods string) {
	w.Helper()
	client := w.lab.Client.CoreV1().ResourceQuotas(w.namespace)
	hard := corev1.ResourceList{corev1.ResourcePods: resource.MustParse(pods)}
	quota, err := client.Get(w.Context(), "pods", metav1.GetOptions{})
	if err != nil {
		_, err = client.Create(w.Context(), &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Spec: corev1.ResourceQuotaSpec{Hard: hard},
		}, metav1.CreateOptions{})
	} else {
		quota.Spec.Hard = hard
		_, err = client.Update(w.Context(), quota, metav1.UpdateOptions{})
	}
	w.must(err)
	harness.Eventually(w, limit, func() error {
		quota, err := client.Get(w.Context(), "pods", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got := quota.Status.Hard.Pods().String(); got != pods {
			return fmt.Errorf("the quota's status allows %s Pods, want %s", got, pods)
		}
		return nil
	})
}
