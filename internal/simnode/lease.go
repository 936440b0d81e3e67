package simnode

import (
	"context"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
)

const (
	// leaseSeconds is the duration that a kubelet writes into its lease.
	leaseSeconds = 40
	// leaseWorkers renew leases and do nothing else: a burst of Pods must not make nodes look dead. They are many
	// because a server under load takes half a second for each.
	leaseWorkers = 32
	// beatRetry is how soon a heartbeat that failed is tried again.
	beatRetry = time.Second
)

// renewer renews the leases of all nodes whose kubelet is at work.
type renewer struct {
	client kubernetes.Interface
	opts   Options
	queue  workqueue.TypedDelayingInterface[string]

	mu      sync.Mutex
	tenants map[string]*tenant
}

// tenant is a node whose lease is renewed.
type tenant struct {
	owner metav1.OwnerReference
	skew  time.Duration
	due   time.Time
	lease *coordinationv1.Lease // as written last; nil: not known
}

func newRenewer(client kubernetes.Interface, opts Options) *renewer {
	return &renewer{client: client, opts: opts, tenants: map[string]*tenant{}, queue: workqueue.NewTypedDelayingQueue[string]()}
}

// keep has the node's lease renewed from now on. The first time is spread over a few seconds, so that a thousand nodes
// can start at once; their first status shows them alive until then.
func (r *renewer) keep(node *corev1.Node, skew time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tenants[node.Name]
	if t == nil {
		t = &tenant{}
		r.tenants[node.Name] = t
		r.queue.AddAfter(node.Name, time.Duration(fraction(node.Name)*float64(leaseInterval)/2))
	}
	// The owner makes the lease go when the node goes.
	t.owner = metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}
	t.skew = skew
}

// drop ends the renewals; the lease stays, as a dead kubelet leaves it.
func (r *renewer) drop(node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tenants, node)
}

// work renews leases until the queue is shut down.
func (r *renewer) work(ctx context.Context) {
	for {
		name, shutdown := r.queue.Get()
		if shutdown {
			return
		}
		if wait, again := r.turn(ctx, name); again {
			r.queue.AddAfter(name, wait)
		}
		r.queue.Done(name)
	}
}

// turn renews one lease if it is due, and tells how long to wait for the next time.
func (r *renewer) turn(ctx context.Context, name string) (wait time.Duration, again bool) {
	now := time.Now()
	r.mu.Lock()
	t := r.tenants[name]
	if t == nil {
		r.mu.Unlock()
		return 0, false
	}
	if wait = t.due.Sub(now); wait > 0 {
		r.mu.Unlock()
		return wait, true
	}
	every := r.opts.leaseEvery(len(r.tenants))
	t.due = now.Add(every)
	turn, due := *t, t.due
	r.mu.Unlock()

	lease, err := r.renew(ctx, name, turn, now)
	if err != nil {
		due = now.Add(beatRetry)
		if ctx.Err() == nil {
			r.opts.Log.Error(err, "renewing the lease of a node", "node", name)
		}
	}
	r.mu.Lock()
	t.lease, t.due = lease, due
	r.mu.Unlock()
	return time.Until(due), true
}

// renew writes the lease and returns what was written. If it was never written by us, it is created; if it exists or
// somebody else has touched it, it is read.
func (r *renewer) renew(ctx context.Context, name string, t tenant, now time.Time) (*coordinationv1.Lease, error) {
	leases := r.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	stamp := ptr.To(metav1.NewMicroTime(now.Add(t.skew)))
	lease := t.lease
	if lease == nil {
		created, err := leases.Create(ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{t.owner}},
			Spec: coordinationv1.LeaseSpec{
				HolderIdentity: &name, LeaseDurationSeconds: ptr.To[int32](leaseSeconds), RenewTime: stamp,
			},
		}, metav1.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			return created, err
		}
		if lease, err = leases.Get(ctx, name, metav1.GetOptions{}); err != nil {
			return nil, err
		}
	}
	lease = lease.DeepCopy()
	lease.Spec.RenewTime = stamp
	lease.OwnerReferences = []metav1.OwnerReference{t.owner}
	written, err := leases.Update(ctx, lease, metav1.UpdateOptions{})
	if err != nil {
		return nil, err // the next turn begins anew
	}
	return written, nil
}
