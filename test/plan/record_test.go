package plan

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// record is what happens to a DaemonSet's Pods, by a watch, in the order of the API server.
type record struct {
	mu      sync.Mutex
	pods    map[types.UID]*seen
	bad     string
	newest  uint64
	stopped chan struct{}
}

// seen is one Pod: its node, and at which resourceVersion it was made, was told to go, and was gone; 0 is never.
type seen struct {
	node                string
	made, deleted, gone uint64
}

// watchPods records until the test ends.
func watchPods(ctx context.Context, t *testing.T, client kubernetes.Interface, app string) *record {
	t.Helper()
	r := &record{pods: map[types.UID]*seen{}, stopped: make(chan struct{})}
	w, err := client.CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.stopped)
		for e := range w.ResultChan() {
			r.take(ctx, e)
		}
	}()
	return r
}

func (r *record) take(ctx context.Context, e watch.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pod, ok := e.Object.(*corev1.Pod)
	if !ok {
		if ctx.Err() == nil {
			r.bad = "the watch broke off"
		}
		return
	}
	version, err := strconv.ParseUint(pod.ResourceVersion, 10, 64)
	if err != nil {
		r.bad = err.Error()
		return
	}
	r.newest = version
	s := r.pods[pod.UID]
	if s == nil {
		s = &seen{node: pod.Spec.NodeName, made: version}
		r.pods[pod.UID] = s
	}
	if pod.DeletionTimestamp != nil && s.deleted == 0 {
		s.deleted = version
	}
	if e.Type == watch.Deleted {
		s.gone = version
	}
}

// now is the newest version that came in.
func (r *record) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.newest
}

// events is what happened after a version.
type events struct {
	had, has   map[string]types.UID // Pods by node, before and now
	made, told []string             // nodes, in order
	leaving    int                  // Pods on their way out
}

func (r *record) since(version uint64) (events, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := events{had: map[string]types.UID{}, has: map[string]types.UID{}}
	type at struct {
		version uint64
		node    string
	}
	var made, told []at
	for uid, s := range r.pods {
		if s.made <= version && (s.deleted == 0 || s.deleted > version) {
			e.had[s.node] = uid
		}
		if s.deleted == 0 && s.gone == 0 {
			e.has[s.node] = uid
		}
		if s.deleted > 0 && s.gone == 0 {
			e.leaving++
		}
		if s.made > version {
			made = append(made, at{s.made, s.node})
		}
		if s.deleted > version {
			told = append(told, at{s.deleted, s.node})
		}
	}
	inOrder := func(list []at) (nodes []string) {
		slices.SortFunc(list, func(a, b at) int { return int(a.version) - int(b.version) })
		for _, x := range list {
			nodes = append(nodes, x.node)
		}
		return nodes
	}
	e.made, e.told = inOrder(made), inOrder(told)
	return e, r.bad
}
