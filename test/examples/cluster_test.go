package examples

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/test/harness"
)

// settleLimit is how long a daemon may take to run everywhere, on a machine that compiles at the same time.
const settleLimit = time.Minute

// quiet is how long a state must last before it counts as the end, so that a late Pod is not missed.
const quiet = time.Second

// cluster is a lab under observation.
type cluster struct {
	*harness.Lab
	pods *observer
}

func up(t *testing.T, flags ...string) *cluster {
	t.Helper()
	lab := harness.Up(t, flags...)
	return &cluster{Lab: lab, pods: observe(t, lab.Client)}
}

func apierror(event watch.Event) error { return apierrors.FromObject(event.Object) }

// running names the nodes of each DaemonSet's Pods. A Pod that nobody controls, or that is being deleted, is an error.
func (c *cluster) running(ctx context.Context) (map[string][]string, []corev1.Pod, error) {
	list, err := c.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, err
	}
	nodes := map[string][]string{}
	for i := range list.Items {
		pod := &list.Items[i]
		ref := metav1.GetControllerOf(pod)
		switch {
		case ref == nil || ref.Kind != "DaemonSet":
			return nil, nil, fmt.Errorf("Pod %s/%s is no DaemonSet's", pod.Namespace, pod.Name)
		case pod.DeletionTimestamp != nil:
			return nil, nil, fmt.Errorf("Pod %s/%s is being deleted", pod.Namespace, pod.Name)
		}
		owner := pod.Namespace + "/" + ref.Name
		nodes[owner] = append(nodes[owner], pod.Spec.NodeName)
	}
	for _, names := range nodes {
		slices.Sort(names)
	}
	return nodes, list.Items, nil
}

// expect waits until exactly these daemons run on exactly their nodes, every Pod is Ready and every status says so.
func (c *cluster) expect(t *testing.T, daemons []daemon) {
	t.Helper()
	want := placements(daemons)
	harness.Eventually(t, settleLimit, func() error {
		nodes, pods, err := c.running(t.Context())
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, nodes); diff != "" {
			return fmt.Errorf("nodes that run the daemons (-want +got):\n%s", diff)
		}
		for i := range pods {
			if !ready(&pods[i]) {
				return fmt.Errorf("Pod %s/%s on %s is not Ready: phase %s", pods[i].Namespace, pods[i].Name, pods[i].Spec.NodeName, pods[i].Status.Phase)
			}
		}
		return c.statuses(t.Context(), daemons)
	})
}

func placements(daemons []daemon) map[string][]string {
	want := map[string][]string{}
	for _, d := range daemons {
		if len(d.nodes) > 0 {
			want[d.String()] = nodeNames(d.nodes)
		}
	}
	return want
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// statuses compares each DaemonSet's status with the number of its nodes; all of them run the newest revision.
func (c *cluster) statuses(ctx context.Context, daemons []daemon) error {
	for _, d := range daemons {
		ds, err := c.Client.AppsV1().DaemonSets(d.namespace).Get(ctx, d.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		n := int32(len(d.nodes))
		want := appsv1.DaemonSetStatus{
			ObservedGeneration: ds.Generation, DesiredNumberScheduled: n, CurrentNumberScheduled: n,
			NumberReady: n, UpdatedNumberScheduled: n, NumberAvailable: n,
		}
		got := ds.Status
		got.Conditions, got.CollisionCount = nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("status of %s (-want +got):\n%s", d, diff)
		}
	}
	return nil
}

// expectEmpty waits until neither a Pod nor a ControllerRevision is left in the whole cluster.
func (c *cluster) expectEmpty(t *testing.T) {
	t.Helper()
	harness.Eventually(t, settleLimit, func() error {
		pods, err := c.Client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		if len(pods.Items) > 0 {
			return fmt.Errorf("%d Pods are left, the first is %s/%s", len(pods.Items), pods.Items[0].Namespace, pods.Items[0].Name)
		}
		revisions, err := c.Client.AppsV1().ControllerRevisions("").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		if len(revisions.Items) > 0 {
			return fmt.Errorf("%d ControllerRevisions are left, the first is %s/%s", len(revisions.Items), revisions.Items[0].Namespace, revisions.Items[0].Name)
		}
		return nil
	})
}

// sleep lets a state last for a while.
func (c *cluster) sleep(t *testing.T) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test was ended")
	case <-time.After(quiet):
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
