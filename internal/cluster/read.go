package cluster

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/snapshot"
)

// Scope is how much is read.
type Scope struct {
	// Namespace of the DaemonSets to tell about; empty stands for all. Nodes and Pods are read whole where allowed, since
	// any Pod takes room.
	Namespace string
	// Quotas has ResourceQuotas read too.
	Quotas bool
}

// Read reads a cluster. It fails only when there is nothing to tell: no answer, or DaemonSets that may not be read.
func Read(ctx context.Context, client kubernetes.Interface, scope Scope) (*snapshot.Snapshot, error) {
	s := &snapshot.Snapshot{}
	r := &reading{client: client, scope: scope, snapshot: s}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return nil, err
	}
	s.Server = version.GitVersion
	group, ctx := errgroup.WithContext(ctx)
	reads := []func(context.Context) error{r.nodes, r.daemonSets, r.revisions, r.pods, r.events, r.leases}
	if scope.Quotas {
		reads = append(reads, r.quotas)
	}
	for _, read := range reads {
		group.Go(func() error { return read(ctx) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.Taken = time.Now()
	return s, nil
}

// reading is one Read under way. Each of its methods fills a part of the snapshot that is its own.
type reading struct {
	client   kubernetes.Interface
	scope    Scope
	snapshot *snapshot.Snapshot
	missing  missing
}

func (r *reading) nodes(ctx context.Context) error {
	err := each(ctx, r.client.CoreV1().Nodes().List, metav1.ListOptions{}, func(l *corev1.NodeList) error {
		for i := range l.Items {
			if err := r.snapshot.AddNode(&l.Items[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return r.without(err, "nodes", "", "on which nodes a daemon should run")
}

func (r *reading) daemonSets(ctx context.Context) error {
	err := each(ctx, r.client.AppsV1().DaemonSets(r.scope.Namespace).List, metav1.ListOptions{}, func(l *appsv1.DaemonSetList) error {
		for i := range l.Items {
			r.snapshot.AddDaemonSet(&l.Items[i])
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list DaemonSets: %w", err)
	}
	return nil
}

func (r *reading) revisions(ctx context.Context) error {
	err := each(ctx, r.client.AppsV1().ControllerRevisions(r.scope.Namespace).List, metav1.ListOptions{}, func(l *appsv1.ControllerRevisionList) error {
		for i := range l.Items {
			r.snapshot.AddRevision(&l.Items[i])
		}
		return nil
	})
	return r.without(err, "controllerrevisions.apps", r.scope.Namespace, "which Pods are outdated")
}

// pods reads those of all namespaces, or if that is not allowed, those of the DaemonSets' namespace.
func (r *reading) pods(ctx context.Context) error {
	read := func(namespace string) error {
		r.snapshot.Pods = nil
		return each(ctx, r.client.CoreV1().Pods(namespace).List, metav1.ListOptions{}, func(l *corev1.PodList) error {
			for i := range l.Items {
				if err := r.snapshot.AddPod(&l.Items[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := read(metav1.NamespaceAll)
	if !refused(err) || r.scope.Namespace == "" {
		return r.without(err, "pods", "", "which Pods there are, and what they take on their nodes")
	}
	if err := r.without(err, "pods", "", "what Pods of other namespaces take on their nodes"); err != nil {
		return err
	}
	return r.without(read(r.scope.Namespace), "pods", r.scope.Namespace, "which Pods there are")
}

func (r *reading) events(ctx context.Context) error {
	about := metav1.ListOptions{FieldSelector: "involvedObject.kind=DaemonSet"}
	err := each(ctx, r.client.CoreV1().Events(r.scope.Namespace).List, about, func(l *corev1.EventList) error {
		for i := range l.Items {
			r.snapshot.Events = append(r.snapshot.Events, eventOf(&l.Items[i]))
		}
		return nil
	})
	return r.without(err, "events", r.scope.Namespace, "what the controller said, for instance why the API server refused a Pod")
}

func (r *reading) quotas(ctx context.Context) error {
	err := each(ctx, r.client.CoreV1().ResourceQuotas(r.scope.Namespace).List, metav1.ListOptions{}, func(l *corev1.ResourceQuotaList) error {
		for i := range l.Items {
			r.snapshot.AddQuota(&l.Items[i])
		}
		return nil
	})
	return r.without(err, "resourcequotas", r.scope.Namespace, "whether a quota refuses new Pods")
}

func eventOf(e *corev1.Event) snapshot.Event {
	out := snapshot.Event{
		Namespace: e.InvolvedObject.Namespace, Name: e.InvolvedObject.Name, UID: e.InvolvedObject.UID,
		Type: e.Type, Reason: e.Reason, Message: e.Message, Count: e.Count, Source: e.Source.Component,
		First: e.FirstTimestamp.Time, Last: e.LastTimestamp.Time,
	}
	if out.Source == "" {
		out.Source = e.ReportingController
	}
	if out.First.IsZero() {
		out.First = e.EventTime.Time
	}
	if e.Series != nil {
		out.Count, out.Last = e.Series.Count, e.Series.LastObservedTime.Time
	}
	if out.Last.IsZero() {
		out.Last = out.First
	}
	return out
}

// leases reads those that tell which controllers lead. Nobody needs them: without, the status tells who writes it.
func (r *reading) leases(ctx context.Context) error {
	for _, at := range []struct{ name, namespace string }{
		{live.LeaseName, metav1.NamespaceAll}, {"kube-controller-manager", metav1.NamespaceSystem},
	} {
		named := metav1.ListOptions{FieldSelector: "metadata.name=" + at.name}
		err := each(ctx, r.client.CoordinationV1().Leases(at.namespace).List, named, func(l *coordinationv1.LeaseList) error {
			for i := range l.Items {
				r.snapshot.Leases = append(r.snapshot.Leases, leaseOf(&l.Items[i]))
			}
			return nil
		})
		if err := r.without(err, "leases.coordination.k8s.io", at.namespace, "where the controller runs, so its live state is not read"); err != nil {
			return err
		}
	}
	return nil
}

func leaseOf(l *coordinationv1.Lease) snapshot.Lease {
	out := snapshot.Lease{Namespace: l.Namespace, Name: l.Name}
	if l.Spec.HolderIdentity != nil {
		out.Holder = *l.Spec.HolderIdentity
	}
	if l.Spec.RenewTime != nil {
		out.Renewed = l.Spec.RenewTime.Time
	}
	if l.Spec.LeaseDurationSeconds != nil {
		out.Seconds = *l.Spec.LeaseDurationSeconds
	}
	return out
}
