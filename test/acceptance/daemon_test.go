package acceptance

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/everynode/everynode/test/harness"
)

const hashLabel = appsv1.DefaultDaemonSetUniqueLabelKey

// option changes a DaemonSet before it is created or updated.
type option func(*appsv1.DaemonSet)

// daemon is a DaemonSet of one container, on the nodes of the space's group.
func (s *space) daemon(name string, options ...option) *appsv1.DaemonSet {
	labels := map[string]string{"app": name}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.name},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					NodeSelector: map[string]string{"group": s.name},
					Containers:   []corev1.Container{{Name: "c", Image: "example.test/daemon:v1"}},
				},
			},
		},
	}
	for _, o := range options {
		o(ds)
	}
	return ds
}

func image(version string) option {
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Containers[0].Image = "example.test/daemon:" + version
	}
}

func cpu(request string) option {
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(request)}
	}
}

func hostPort(port int32) option {
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: port, HostPort: port}}
	}
}

// sim gives the simulated kubelets a wish, under sim.everynode.dev/.
func sim(wish, value string) option {
	return func(ds *appsv1.DaemonSet) {
		metav1.SetMetaDataAnnotation(&ds.Spec.Template.ObjectMeta, "sim.everynode.dev/"+wish, value)
	}
}

func onNodesWith(label, value string) option {
	return func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeSelector[label] = value }
}

func labelled(app string) option {
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.Selector.MatchLabels["app"] = app // the same map as the template's labels
	}
}

// create makes a DaemonSet.
func (s *space) create(t *testing.T, name string, options ...option) *appsv1.DaemonSet {
	t.Helper()
	ds, err := s.Client.AppsV1().DaemonSets(s.name).Create(t.Context(), s.daemon(name, options...), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// update changes a DaemonSet.
func (s *space) update(t *testing.T, name string, options ...option) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		ds := s.get(t, name)
		for _, o := range options {
			o(ds)
		}
		_, err := s.Client.AppsV1().DaemonSets(s.name).Update(t.Context(), ds, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *space) get(t *testing.T, name string) *appsv1.DaemonSet {
	t.Helper()
	ds, err := s.Client.AppsV1().DaemonSets(s.name).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// remove deletes a DaemonSet in one of the three ways.
func (s *space) remove(t *testing.T, name string, how metav1.DeletionPropagation) {
	t.Helper()
	err := s.Client.AppsV1().DaemonSets(s.name).Delete(t.Context(), name, metav1.DeleteOptions{PropagationPolicy: &how})
	if err != nil {
		t.Fatal(err)
	}
}

// counts are a status in one line. NumberUnavailable is desired minus available and not repeated.
type counts struct{ desired, current, ready, updated, available, misscheduled int32 }

// all is the status of a DaemonSet that runs on n nodes and has nothing left to do.
func all(n int32) counts { return counts{desired: n, current: n, ready: n, updated: n, available: n} }

// expect waits until the status is about the present generation and says exactly this.
func (s *space) expect(t *testing.T, name string, want counts) {
	t.Helper()
	harness.Eventually(t, patience, func() error { return s.statusIs(t.Context(), name, want) })
}

func (s *space) statusIs(ctx context.Context, name string, want counts) error {
	ds, err := s.Client.AppsV1().DaemonSets(s.name).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	st := ds.Status
	got := counts{st.DesiredNumberScheduled, st.CurrentNumberScheduled, st.NumberReady, st.UpdatedNumberScheduled, st.NumberAvailable, st.NumberMisscheduled}
	switch {
	case st.ObservedGeneration != ds.Generation:
		return fmt.Errorf("status of %s/%s is about generation %d, not %d", s.name, name, st.ObservedGeneration, ds.Generation)
	case got != want:
		return fmt.Errorf("status of %s/%s is %+v, not %+v", s.name, name, got, want)
	case st.NumberUnavailable != want.desired-want.available:
		return fmt.Errorf("status of %s/%s has unavailable=%d, not %d", s.name, name, st.NumberUnavailable, want.desired-want.available)
	}
	return nil
}
