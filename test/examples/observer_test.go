package examples

import (
	"context"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
)

// life is what was seen of one Pod, from its first version on.
type life struct {
	name  string
	owner string // namespace/name of the controlling DaemonSet, or empty
	node  string // spec.nodeName of the first version
	gone  bool
}

// observer sees every version of every Pod of a cluster.
type observer struct {
	mu    sync.Mutex
	lives map[types.UID]*life
	order []types.UID
	err   error
}

// observe starts to watch all Pods. It lists first and refuses a cluster that has some already.
func observe(t *testing.T, client kubernetes.Interface) *observer {
	t.Helper()
	ctx := t.Context()
	list, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) > 0 {
		t.Fatalf("the cluster already runs %d Pods, the first is %s/%s", len(list.Items), list.Items[0].Namespace, list.Items[0].Name)
	}
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		return client.CoreV1().Pods("").Watch(ctx, options)
	}}
	watcher, err := toolswatch.NewRetryWatcherWithContext(ctx, list.ResourceVersion, source)
	if err != nil {
		t.Fatal(err)
	}
	o := &observer{lives: map[types.UID]*life{}}
	go func() {
		for event := range watcher.ResultChan() {
			o.see(event)
		}
	}()
	t.Cleanup(watcher.Stop)
	return o
}

func (o *observer) see(event watch.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	pod, ok := event.Object.(*corev1.Pod)
	if !ok {
		if event.Type == watch.Error {
			o.err = apierror(event)
		}
		return
	}
	l := o.lives[pod.UID]
	if l == nil {
		l = &life{name: pod.Namespace + "/" + pod.Name, node: pod.Spec.NodeName}
		if ref := metav1.GetControllerOf(pod); ref != nil && ref.Kind == "DaemonSet" {
			l.owner = pod.Namespace + "/" + ref.Name
		}
		o.lives[pod.UID] = l
		o.order = append(o.order, pod.UID)
	}
	l.gone = event.Type == watch.Deleted
}

// since returns what was seen of the Pods after the first n, in the order of their creation.
func (o *observer) since(t *testing.T, n int) []life {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		t.Fatalf("the watch of Pods broke off, so nothing can be said about their first versions: %v", o.err)
	}
	var lives []life
	for _, uid := range o.order[n:] {
		lives = append(lives, *o.lives[uid])
	}
	return lives
}

// byOwner names, for each DaemonSet, the nodes in the first versions of its Pods, one entry a Pod, sorted.
func byOwner(lives []life) map[string][]string {
	nodes := map[string][]string{}
	for _, l := range lives {
		nodes[l.owner] = append(nodes[l.owner], l.node)
	}
	for _, names := range nodes {
		slices.Sort(names)
	}
	return nodes
}
