package simnode

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// hub is the shell around all kubelets: it sorts what the watches tell by node, and lets workers run those kubelets
// that have something to do. The queue holds the name of a node once, and one kubelet runs on one worker at a time.
type hub struct {
	client   kubernetes.Interface
	opts     Options
	recorder record.EventRecorder
	places   *book
	leases   *renewer
	queue    workqueue.TypedDelayingInterface[string]

	mu     sync.Mutex
	actors map[string]*actor
}

// mail is what a kubelet has not been told yet: for each object the latest version; nil for one that is gone.
type mail struct {
	node    *corev1.Node
	hasNode bool
	pods    map[types.UID]*corev1.Pod
}

func newHub(client kubernetes.Interface, opts Options, recorder record.EventRecorder) *hub {
	return &hub{
		client: client, opts: opts, recorder: recorder, places: newBook(), actors: map[string]*actor{},
		leases: newRenewer(client, opts),
		queue:  workqueue.NewTypedDelayingQueue[string](),
	}
}

func watchBound(client kubernetes.Interface, selector string) func(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.FieldSelector = selector
		return client.CoreV1().Pods("").Watch(ctx, o)
	}
}

func (h *hub) nodeSeen(node *corev1.Node) {
	h.post(node.Name, func(m *mail) { m.node, m.hasNode = node, true })
}

func (h *hub) nodeGone(node *corev1.Node) {
	h.post(node.Name, func(m *mail) { m.node, m.hasNode = nil, true })
}

func (h *hub) podSeen(pod *corev1.Pod) {
	h.post(pod.Spec.NodeName, func(m *mail) { m.pods[pod.UID] = pod })
}

func (h *hub) podGone(pod *corev1.Pod) {
	h.post(pod.Spec.NodeName, func(m *mail) { m.pods[pod.UID] = nil })
}

// post puts something into a kubelet's mail and wakes it.
func (h *hub) post(node string, write func(*mail)) {
	if node == "" {
		return // the server filters these; a fake one may not
	}
	h.mu.Lock()
	a := h.actors[node]
	if a == nil {
		a = newActor(h, node)
		h.actors[node] = a
	}
	if a.mail == nil {
		a.mail = &mail{pods: map[types.UID]*corev1.Pod{}}
	}
	write(a.mail)
	h.mu.Unlock()
	h.queue.Add(node)
}

// take empties a kubelet's mail.
func (h *hub) take(a *actor) *mail {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := a.mail
	a.mail = nil
	return m
}

// dismiss forgets a kubelet that has neither a Node nor Pods nor mail.
func (h *hub) dismiss(a *actor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.mail == nil && a.kubelet.node == nil && len(a.kubelet.pods) == 0 {
		delete(h.actors, a.kubelet.name)
	}
}

// work runs kubelets until the queue is shut down.
func (h *hub) work(ctx context.Context) {
	for {
		name, shutdown := h.queue.Get()
		if shutdown {
			return
		}
		h.mu.Lock()
		a := h.actors[name]
		h.mu.Unlock()
		if a != nil {
			if next, ok := a.run(ctx); ok {
				h.queue.AddAfter(name, time.Until(next))
			}
			h.dismiss(a)
		}
		h.queue.Done(name)
	}
}
