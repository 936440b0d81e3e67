package act

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedappsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// API is all that a controller asks of the API server when it acts. Errors are the API's own (apierrors), or whatever kept
// an answer from coming home.
type API interface {
	GetNode(ctx context.Context, name string) (*corev1.Node, error)

	CreatePod(ctx context.Context, pod *corev1.Pod, o metav1.CreateOptions) (*corev1.Pod, error)
	GetPod(ctx context.Context, namespace, name string) (*corev1.Pod, error)
	PatchPod(ctx context.Context, namespace, name string, kind types.PatchType, body []byte) (*corev1.Pod, error)
	DeletePod(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error

	GetDaemonSet(ctx context.Context, namespace, name string) (*appsv1.DaemonSet, error)
	UpdateDaemonSetStatus(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error)

	CreateRevision(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error)
	GetRevision(ctx context.Context, namespace, name string) (*appsv1.ControllerRevision, error)
	UpdateRevision(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error)
	DeleteRevision(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error
}

// Cluster is the API of a real cluster. Of Nodes and Pods that come from core, only what makes a fact is read, and none is written
// back: it may be a client that reads no more.
func Cluster(core typedcorev1.CoreV1Interface, apps typedappsv1.AppsV1Interface) API {
	return cluster{core, apps}
}

type cluster struct {
	core typedcorev1.CoreV1Interface
	apps typedappsv1.AppsV1Interface
}

func (c cluster) GetNode(ctx context.Context, name string) (*corev1.Node, error) {
	return c.core.Nodes().Get(ctx, name, metav1.GetOptions{})
}

func (c cluster) CreatePod(ctx context.Context, pod *corev1.Pod, o metav1.CreateOptions) (*corev1.Pod, error) {
	return c.core.Pods(pod.Namespace).Create(ctx, pod, o)
}

func (c cluster) GetPod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return c.core.Pods(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (c cluster) PatchPod(ctx context.Context, namespace, name string, kind types.PatchType, body []byte) (*corev1.Pod, error) {
	return c.core.Pods(namespace).Patch(ctx, name, kind, body, metav1.PatchOptions{})
}

func (c cluster) DeletePod(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	return c.core.Pods(namespace).Delete(ctx, name, o)
}

func (c cluster) GetDaemonSet(ctx context.Context, namespace, name string) (*appsv1.DaemonSet, error) {
	return c.apps.DaemonSets(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (c cluster) UpdateDaemonSetStatus(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	return c.apps.DaemonSets(ds.Namespace).UpdateStatus(ctx, ds, metav1.UpdateOptions{})
}

func (c cluster) CreateRevision(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	return c.apps.ControllerRevisions(r.Namespace).Create(ctx, r, metav1.CreateOptions{})
}

func (c cluster) GetRevision(ctx context.Context, namespace, name string) (*appsv1.ControllerRevision, error) {
	return c.apps.ControllerRevisions(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (c cluster) UpdateRevision(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	return c.apps.ControllerRevisions(r.Namespace).Update(ctx, r, metav1.UpdateOptions{})
}

func (c cluster) DeleteRevision(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	return c.apps.ControllerRevisions(namespace).Delete(ctx, name, o)
}
