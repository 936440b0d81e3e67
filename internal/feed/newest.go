package feed

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/fleet"
)

// Newest asks the API server how new the present state of a kind is, by the shortest list that is no older than the request. A
// watch of that kind that has come as far, or a list that is as new, has told of all that happened before.
func Newest(ctx context.Context, client kubernetes.Interface, kind Kind) (fleet.Version, error) {
	core, apps := client.CoreV1(), client.AppsV1()
	switch kind {
	case Nodes:
		return newest(ctx, kind, core.Nodes())
	case Pods:
		return newest(ctx, kind, core.Pods(""))
	case DaemonSets:
		return newest(ctx, kind, apps.DaemonSets(""))
	default:
		return newest(ctx, kind, apps.ControllerRevisions(""))
	}
}

// lister is a typed client's way to list.
type lister[L metav1.ListInterface] interface {
	List(context.Context, metav1.ListOptions) (L, error)
}

func newest[L metav1.ListInterface](ctx context.Context, kind Kind, client lister[L]) (fleet.Version, error) {
	list, err := client.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return 0, explain(kind, "list", err)
	}
	return ParseVersion(list.GetResourceVersion())
}
