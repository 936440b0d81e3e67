package explain

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
	"github.com/everynode/everynode/internal/snapshot"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// scene is a cluster in the making: DaemonSet monitoring/exporter on nodes n1 to n4.
type scene struct {
	t     *testing.T
	ds    *appsv1.DaemonSet
	nodes []*corev1.Node
	pods  []*corev1.Pod
	snapshot.Snapshot
}

func newScene(t *testing.T, nodes int) *scene {
	t.Helper()
	s := &scene{t: t}
	s.Taken = t0
	one := intstr.FromInt32(1)
	labels := map[string]string{"app": "exporter"}
	s.ds = &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: "exporter", Namespace: "monitoring", UID: "ds", ResourceVersion: "1", Generation: 1, CreationTimestamp: metav1.NewTime(t0.Add(-time.Hour)),
		},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: labels},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &one}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "app", Image: "example.com/app:1", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
				}}},
			},
		},
	}
	s.runBy("everynode-controller")
	for i := range nodes {
		s.nodes = append(s.nodes, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i+1), UID: types.UID(fmt.Sprint("n", i)), ResourceVersion: "1", Labels: map[string]string{"zone": "a"}},
			Status: corev1.NodeStatus{
				Allocatable: corev1.ResourceList{"cpu": resource.MustParse("1"), "pods": resource.MustParse("10")},
				Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(t0.Add(-time.Hour))}},
			},
		})
	}
	return s
}

// runBy tells who wrote the status last.
func (s *scene) runBy(manager string) {
	s.ds.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: manager, Subresource: "status", Time: &metav1.Time{Time: t0}}}
}

// revision keeps the template as it is now under a hash.
func (s *scene) revision(n int64, hash string) {
	s.t.Helper()
	data, err := revision.Data(&s.ds.Spec.Template)
	if err != nil {
		s.t.Fatal(err)
	}
	r := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: "exporter-" + hash, Namespace: "monitoring", UID: types.UID("rev-" + hash), ResourceVersion: "1", CreationTimestamp: metav1.NewTime(t0.Add(-time.Minute)),
			Labels:          map[string]string{"app": "exporter", appsv1.ControllerRevisionHashLabelKey: hash},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s.ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))},
		},
		Revision: n,
	}
	r.Data.Raw = data
	s.AddRevision(r)
}

// pod puts a Ready Pod of a revision on a node.
func (s *scene) pod(node, hash string) *corev1.Pod {
	p := plan.NewPod(s.ds, hash, node, "exporter-"+node+"bcdfghjk", plan.Direct)
	p.UID, p.ResourceVersion, p.CreationTimestamp = types.UID("pod-"+node), "2", metav1.NewTime(t0.Add(-10*time.Minute))
	p.Status = corev1.PodStatus{
		Phase:             corev1.PodRunning,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(t0.Add(-9 * time.Minute))}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
	}
	s.pods = append(s.pods, p)
	return p
}

// waiting turns a Pod into one whose container waits.
func waiting(p *corev1.Pod, reason, message string, restarts int32) *corev1.Pod {
	p.Status.Phase = corev1.PodPending
	p.Status.Conditions[0].Status = corev1.ConditionFalse
	p.Status.ContainerStatuses[0] = corev1.ContainerStatus{
		Name: "app", RestartCount: restarts, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}
	return p
}

// book reads the scene as a command would.
func (s *scene) book() *Book {
	s.t.Helper()
	for _, n := range s.nodes {
		if err := s.AddNode(n); err != nil {
			s.t.Fatal(err)
		}
	}
	s.AddDaemonSet(s.ds)
	for _, p := range s.pods {
		if err := s.AddPod(p); err != nil {
			s.t.Fatal(err)
		}
	}
	w, err := s.World(t0)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := Open(w, w.Fleet.Daemons()[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}
