package feed

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// source is where objects of one kind come from.
type source struct {
	kind    Kind
	list    func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch   func(context.Context, metav1.ListOptions) (watch.Interface, error)
	onError func(Kind, error)
}

// typed is a typed client's way to list and watch.
type typed[L runtime.Object] interface {
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func from[L runtime.Object](kind Kind, client typed[L], onError func(Kind, error)) source {
	return source{
		kind: kind, onError: onError, watch: client.Watch,
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return client.List(ctx, o) },
	}
}

// listWatch is what a reflector reads from. client tells whether lists can be streamed.
func (s source) listWatch(client kubernetes.Interface) cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			if o.ResourceVersion == "0" {
				o.ResourceVersion = "" // 0 stands for any state of the past; a new leader must begin with the present
			}
			got, err := s.list(ctx, o)
			s.report(ctx, "list", err)
			return got, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			got, err := s.watch(ctx, o)
			if o.SendInitialEvents == nil || !apierrors.IsInvalid(err) { // else the server cannot stream lists, and is asked for one instead
				s.report(ctx, "watch", err)
			}
			return got, err
		},
	}, client)
}

// report tells of a failed request. What the state of the past alone makes fail is no news: a fresh list follows.
func (s source) report(ctx context.Context, verb string, err error) {
	if err == nil || ctx.Err() != nil || s.onError == nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return
	}
	s.onError(s.kind, explain(s.kind, verb, err))
}

// explain says of a failed read what to do about it.
func explain(kind Kind, verb string, err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the controller may not %s %s in all namespaces: give its identity the ClusterRole in config/rbac: %w", verb, kind, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the API server does not accept the controller's credentials (%s %s): check the kubeconfig or the service account: %w", verb, kind, err)
	}
	return fmt.Errorf("%s %s: %w", verb, kind, err)
}
