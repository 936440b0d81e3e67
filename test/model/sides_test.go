package model

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// server is all that is asked of both.
type server interface {
	act.API

	UpdatePod(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error)
	UpdatePodStatus(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error)
	BindPod(ctx context.Context, pod *corev1.Pod, node string) error
	CreateDaemonSet(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error)
	UpdateDaemonSet(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error)
	DeleteDaemonSet(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error
	CreateNode(ctx context.Context, n *corev1.Node) (*corev1.Node, error)
	UpdateNode(ctx context.Context, n *corev1.Node) (*corev1.Node, error)
	UpdateNodeStatus(ctx context.Context, n *corev1.Node) (*corev1.Node, error)
	DeleteNode(ctx context.Context, name string) error

	// List gives a kind's objects and the version that they are the state of, At those of an earlier version.
	List(ctx context.Context, k apimodel.Kind) ([]metav1.Object, string, error)
	At(ctx context.Context, k apimodel.Kind, version string) ([]metav1.Object, error)
	// Close begins the deletion of the namespace.
	Close(ctx context.Context) error
}

// cluster is the API server of a lab; its lists are those of one namespace and of the nodes named after it.
type cluster struct {
	act.API
	client    kubernetes.Interface
	namespace string
}

func (r cluster) pods() typedcorev1.PodInterface { return r.client.CoreV1().Pods(r.namespace) }

func (r cluster) UpdatePod(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	return r.pods().Update(ctx, pod, metav1.UpdateOptions{})
}

func (r cluster) UpdatePodStatus(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	return r.pods().UpdateStatus(ctx, pod, metav1.UpdateOptions{})
}

func (r cluster) BindPod(ctx context.Context, pod *corev1.Pod, node string) error {
	return r.pods().Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
}

func (r cluster) CreateDaemonSet(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	return r.client.AppsV1().DaemonSets(r.namespace).Create(ctx, ds, metav1.CreateOptions{})
}

func (r cluster) UpdateDaemonSet(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	return r.client.AppsV1().DaemonSets(r.namespace).Update(ctx, ds, metav1.UpdateOptions{})
}

func (r cluster) DeleteDaemonSet(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	return r.client.AppsV1().DaemonSets(namespace).Delete(ctx, name, o)
}

func (r cluster) CreateNode(ctx context.Context, n *corev1.Node) (*corev1.Node, error) {
	return r.client.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{})
}

func (r cluster) UpdateNode(ctx context.Context, n *corev1.Node) (*corev1.Node, error) {
	return r.client.CoreV1().Nodes().Update(ctx, n, metav1.UpdateOptions{})
}

func (r cluster) UpdateNodeStatus(ctx context.Context, n *corev1.Node) (*corev1.Node, error) {
	return r.client.CoreV1().Nodes().UpdateStatus(ctx, n, metav1.UpdateOptions{})
}

func (r cluster) DeleteNode(ctx context.Context, name string) error {
	return r.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
}

func (r cluster) List(ctx context.Context, k apimodel.Kind) ([]metav1.Object, string, error) {
	return r.list(ctx, k, metav1.ListOptions{})
}

func (r cluster) At(ctx context.Context, k apimodel.Kind, version string) ([]metav1.Object, error) {
	objects, _, err := r.list(ctx, k, metav1.ListOptions{ResourceVersion: version, ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	return objects, err
}

func (r cluster) list(ctx context.Context, k apimodel.Kind, o metav1.ListOptions) (objects []metav1.Object, version string, err error) {
	var list interface {
		runtime.Object
		metav1.ListInterface
	}
	switch k {
	case apimodel.Nodes:
		list, err = r.client.CoreV1().Nodes().List(ctx, o)
	case apimodel.Pods:
		list, err = r.pods().List(ctx, o)
	case apimodel.DaemonSets:
		list, err = r.client.AppsV1().DaemonSets(r.namespace).List(ctx, o)
	default:
		list, err = r.client.AppsV1().ControllerRevisions(r.namespace).List(ctx, o)
	}
	if err != nil {
		return nil, "", err
	}
	items, err := meta.ExtractList(list)
	for _, item := range items {
		if o, ok := item.(metav1.Object); ok && r.ours(o) {
			objects = append(objects, o)
		}
	}
	return objects, list.GetResourceVersion(), err
}

func (r cluster) ours(o metav1.Object) bool {
	return o.GetNamespace() == r.namespace || strings.HasPrefix(o.GetName(), r.namespace+"-")
}

func (r cluster) watch(ctx context.Context, k apimodel.Kind, o metav1.ListOptions) (watch.Interface, error) {
	switch k {
	case apimodel.Nodes:
		return r.client.CoreV1().Nodes().Watch(ctx, o)
	case apimodel.Pods:
		return r.pods().Watch(ctx, o)
	case apimodel.DaemonSets:
		return r.client.AppsV1().DaemonSets(r.namespace).Watch(ctx, o)
	default:
		return r.client.AppsV1().ControllerRevisions(r.namespace).Watch(ctx, o)
	}
}

func (r cluster) Close(ctx context.Context) error {
	return r.client.CoreV1().Namespaces().Delete(ctx, r.namespace, metav1.DeleteOptions{})
}

// modelled is the model. Objects come to it complete, so its creates are given what the real server made of the same.
type modelled struct {
	s         *apimodel.Server
	namespace string
	like      runtime.Object
}

const actor = "test"

func newModelled(namespace string) *modelled {
	return &modelled{s: apimodel.New(time.Now), namespace: namespace}
}

func (m *modelled) GetNode(_ context.Context, name string) (*corev1.Node, error) {
	return m.s.GetNode(name)
}

func (m *modelled) CreatePod(_ context.Context, pod *corev1.Pod, o metav1.CreateOptions) (*corev1.Pod, error) {
	if like, ok := m.like.(*corev1.Pod); ok {
		pod = pod.DeepCopy()
		pod.Spec = like.Spec
	}
	return m.s.CreatePod(actor, pod, o)
}

func (m *modelled) GetPod(_ context.Context, namespace, name string) (*corev1.Pod, error) {
	return m.s.GetPod(namespace, name)
}

func (m *modelled) PatchPod(_ context.Context, namespace, name string, kind types.PatchType, body []byte) (*corev1.Pod, error) {
	return m.s.PatchPod(actor, namespace, name, kind, body)
}

func (m *modelled) DeletePod(_ context.Context, namespace, name string, o metav1.DeleteOptions) error {
	return m.s.DeletePod(actor, namespace, name, o)
}

func (m *modelled) GetDaemonSet(_ context.Context, namespace, name string) (*appsv1.DaemonSet, error) {
	return m.s.GetDaemonSet(namespace, name)
}

func (m *modelled) UpdateDaemonSetStatus(_ context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	return m.s.UpdateDaemonSetStatus(actor, ds)
}

func (m *modelled) CreateRevision(_ context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	return m.s.CreateRevision(actor, r)
}

func (m *modelled) GetRevision(_ context.Context, namespace, name string) (*appsv1.ControllerRevision, error) {
	return m.s.GetRevision(namespace, name)
}

func (m *modelled) UpdateRevision(_ context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	return m.s.UpdateRevision(actor, r)
}

func (m *modelled) DeleteRevision(_ context.Context, namespace, name string, o metav1.DeleteOptions) error {
	return m.s.DeleteRevision(actor, namespace, name, o)
}

func (m *modelled) UpdatePod(_ context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	return m.s.UpdatePod(actor, pod)
}

func (m *modelled) UpdatePodStatus(_ context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	return m.s.UpdatePodStatus(actor, pod)
}

func (m *modelled) BindPod(_ context.Context, pod *corev1.Pod, node string) error {
	return m.s.BindPod(actor, pod, node)
}

func (m *modelled) CreateDaemonSet(_ context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	if like, ok := m.like.(*appsv1.DaemonSet); ok {
		ds = ds.DeepCopy()
		ds.Spec = like.Spec
	}
	return m.s.CreateDaemonSet(actor, ds)
}

func (m *modelled) UpdateDaemonSet(_ context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	return m.s.UpdateDaemonSet(actor, ds)
}

func (m *modelled) DeleteDaemonSet(_ context.Context, namespace, name string, o metav1.DeleteOptions) error {
	return m.s.DeleteDaemonSet(actor, namespace, name, o)
}

func (m *modelled) CreateNode(_ context.Context, n *corev1.Node) (*corev1.Node, error) {
	if like, ok := m.like.(*corev1.Node); ok {
		n = n.DeepCopy()
		n.Spec = like.Spec
	}
	return m.s.CreateNode(actor, n)
}

// UpdateNode and UpdateNodeStatus are one request to the model: the half that the real server would keep is kept here.
func (m *modelled) UpdateNode(_ context.Context, n *corev1.Node) (*corev1.Node, error) {
	n = n.DeepCopy()
	if old, err := m.s.GetNode(n.Name); err == nil {
		n.Status = old.Status
	}
	return m.s.UpdateNode(actor, n)
}

func (m *modelled) UpdateNodeStatus(_ context.Context, n *corev1.Node) (*corev1.Node, error) {
	n = n.DeepCopy()
	if old, err := m.s.GetNode(n.Name); err == nil {
		n.Spec = old.Spec
	}
	return m.s.UpdateNode(actor, n)
}

func (m *modelled) DeleteNode(_ context.Context, name string) error {
	return m.s.DeleteNode(actor, name)
}

func (m *modelled) List(_ context.Context, k apimodel.Kind) ([]metav1.Object, string, error) {
	objects, version := m.s.List(k)
	return objects, strconv.FormatUint(version, 10), nil
}

func (m *modelled) At(_ context.Context, k apimodel.Kind, version string) ([]metav1.Object, error) {
	v, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("version of a list: %w", err)
	}
	return m.s.ListAt(k, v), nil
}

func (m *modelled) Close(context.Context) error {
	m.s.Closing[m.namespace] = true
	return nil
}
