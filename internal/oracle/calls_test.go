package oracle

import (
	"context"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
)

// step is what one part of a sync, manage or rollingUpdate, asks for.
type step struct {
	creates map[string]*corev1.PodTemplateSpec // by node
	deletes map[string]bool                    // by Pod
}

// calls records what upstream asks the API server to do with Pods. It is called by many goroutines.
type calls struct {
	mu                sync.Mutex
	steps             []step
	adopted, released map[string]bool
}

func (c *calls) reset() {
	c.steps, c.adopted, c.released = nil, map[string]bool{}, map[string]bool{}
}

func (c *calls) begin() {
	c.steps = append(c.steps, step{creates: map[string]*corev1.PodTemplateSpec{}, deletes: map[string]bool{}})
}

// CreatePods notes the node that the template is pinned to.
func (c *calls) CreatePods(_ context.Context, _ string, template *corev1.PodTemplateSpec, _ runtime.Object, _ *metav1.OwnerReference) error {
	node, err := daemonutil.GetTargetNodeName(&corev1.Pod{Spec: corev1.PodSpec{Affinity: template.Spec.Affinity}})
	if err != nil {
		panic(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.steps[len(c.steps)-1]
	if s.creates[node] != nil {
		panic("upstream creates two Pods on one node")
	}
	s.creates[node] = template
	return nil
}

// CreatePodsWithGenerateName is not used for DaemonSets.
func (c *calls) CreatePodsWithGenerateName(context.Context, string, *corev1.PodTemplateSpec, runtime.Object, *metav1.OwnerReference, string) error {
	panic("unexpected call")
}

// DeletePod notes the Pod.
func (c *calls) DeletePod(_ context.Context, _, name string, _ runtime.Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps[len(c.steps)-1].deletes[name] = true
	return nil
}

// PatchPod notes an adoption or a release; they differ in the directive to delete the owner.
func (c *calls) PatchPod(_ context.Context, _, name string, data []byte) error {
	if strings.Contains(string(data), `"$patch":"delete"`) {
		c.released[name] = true
	} else {
		c.adopted[name] = true
	}
	return nil
}

// expectations are upstream's own. It sets them once for manage and, if it gets there, once for rollingUpdate, which tells the
// calls of both apart.
type expectations struct {
	controller.ControllerExpectationsInterface
	calls *calls
}

// SetExpectations begins a step.
func (e *expectations) SetExpectations(logger klog.Logger, key string, add, del int) error {
	e.calls.begin()
	return e.ControllerExpectationsInterface.SetExpectations(logger, key, add, del)
}

// clients are the few calls that upstream makes through its client set. Any other is a nil dereference, and so a failed test.
type clients struct {
	clientset.Interface
	server *server
}

// AppsV1 serves DaemonSets and ControllerRevisions.
func (c clients) AppsV1() appsclient.AppsV1Interface { return appsClients{server: c.server} }

// CoreV1 serves Pods.
func (c clients) CoreV1() coreclient.CoreV1Interface { return coreClients{server: c.server} }

type appsClients struct {
	appsclient.AppsV1Interface
	server *server
}

func (c appsClients) DaemonSets(string) appsclient.DaemonSetInterface {
	return setClient{server: c.server}
}

func (c appsClients) ControllerRevisions(string) appsclient.ControllerRevisionInterface {
	return revisionClient{server: c.server}
}

type coreClients struct {
	coreclient.CoreV1Interface
	server *server
}

func (c coreClients) Pods(string) coreclient.PodInterface { return podClient{server: c.server} }

type setClient struct {
	appsclient.DaemonSetInterface
	server *server
}

func (c setClient) Get(context.Context, string, metav1.GetOptions) (*appsv1.DaemonSet, error) {
	return c.server.ds.DeepCopy(), nil
}

func (c setClient) UpdateStatus(_ context.Context, ds *appsv1.DaemonSet, _ metav1.UpdateOptions) (*appsv1.DaemonSet, error) {
	c.server.statusWrites++
	c.server.ds.Status = *ds.Status.DeepCopy()
	return ds, nil
}

type podClient struct {
	coreclient.PodInterface
	server *server
}

func (c podClient) Patch(_ context.Context, name string, _ types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*corev1.Pod, error) {
	return nil, c.server.relabel(name, data)
}
