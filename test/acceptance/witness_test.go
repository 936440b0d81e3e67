package acceptance

import (
	"context"
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"

	"github.com/everynode/everynode/test/harness"
)

// witness writes down every version of every Pod, in the API server's order.
type witness struct {
	client kubernetes.Interface
	mu     sync.Mutex
	log    []entry
	last   uint64 // resource version
	err    error
}

type entry struct {
	pod  *corev1.Pod
	gone bool
}

// witnessAll starts to watch all Pods; those that exist are the first entries.
func witnessAll(t *testing.T, client kubernetes.Interface) *witness {
	t.Helper()
	list, err := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{client: client}
	for i := range list.Items {
		w.log = append(w.log, entry{pod: &list.Items[i]})
	}
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		return client.CoreV1().Pods("").Watch(ctx, o)
	}}
	watcher, err := toolswatch.NewRetryWatcherWithContext(t.Context(), list.ResourceVersion, source)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for event := range watcher.ResultChan() {
			w.write(event)
		}
	}()
	t.Cleanup(watcher.Stop)
	return w
}

func (w *witness) write(event watch.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if pod, ok := event.Object.(*corev1.Pod); ok {
		w.log = append(w.log, entry{pod: pod, gone: event.Type == watch.Deleted})
		w.last = max(w.last, version(pod.ResourceVersion))
		return
	}
	if event.Type == watch.Error {
		w.err = apierrors.FromObject(event.Object)
	}
}

func version(rv string) (v uint64) {
	if _, err := fmt.Sscan(rv, &v); err != nil {
		return 0
	}
	return v
}

// entries gives what was seen up to now: it waits until the watch has passed a change made by this call.
func (w *witness) entries(t *testing.T) []entry {
	t.Helper()
	marker := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "marker-", Namespace: metav1.NamespaceDefault},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.test/marker"}}, SchedulerName: "nobody"},
	}
	made, err := w.client.CoreV1().Pods(marker.Namespace).Create(t.Context(), marker, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.CoreV1().Pods(marker.Namespace).Delete(t.Context(), made.Name, *metav1.NewDeleteOptions(0)); err != nil {
		t.Fatal(err)
	}
	var log []entry
	harness.Eventually(t, patience, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err != nil {
			t.Fatalf("the watch of Pods broke off, so nothing can be said about what happened: %v", w.err)
		}
		if w.last < version(made.ResourceVersion) {
			return fmt.Errorf("the watch is at %d, before %s", w.last, made.ResourceVersion)
		}
		log = w.log[:len(w.log):len(w.log)]
		return nil
	})
	return log
}

// daemonKey names the DaemonSet that controls a Pod.
type daemonKey struct{ namespace, name string }

func ownerOf(pod *corev1.Pod) (daemonKey, bool) {
	ref := metav1.GetControllerOf(pod)
	if ref == nil || ref.Kind != "DaemonSet" {
		return daemonKey{}, false
	}
	return daemonKey{pod.Namespace, ref.Name}, true
}

// history is what was seen of one DaemonSet's Pods, one state after each change.
type history struct {
	firsts []*corev1.Pod               // the first version of each Pod, in order
	states []map[types.UID]*corev1.Pod // the Pods that existed, after each change
	latest map[types.UID]*corev1.Pod   // as last seen, the gone ones too
}

// of plays the log back for one DaemonSet.
func (w *witness) of(t *testing.T, namespace, name string) history {
	t.Helper()
	h := history{latest: map[types.UID]*corev1.Pod{}}
	now := map[types.UID]*corev1.Pod{}
	for _, e := range w.entries(t) {
		key, ok := ownerOf(e.pod)
		if !ok || key != (daemonKey{namespace, name}) {
			if _, was := now[e.pod.UID]; !was {
				continue // not ours; or released, and then it leaves our state below
			}
			delete(now, e.pod.UID)
		} else {
			if _, seen := h.latest[e.pod.UID]; !seen {
				h.firsts = append(h.firsts, e.pod)
			}
			h.latest[e.pod.UID], now[e.pod.UID] = e.pod, e.pod
			if e.gone {
				delete(now, e.pod.UID)
			}
		}
		state := make(map[types.UID]*corev1.Pod, len(now))
		for uid, pod := range now {
			state[uid] = pod
		}
		h.states = append(h.states, state)
	}
	return h
}

// mostPerNode is the largest number of Pods that have not ended that one node ever held at once.
func (h history) mostPerNode() int {
	most := 0
	for _, state := range h.states {
		count := map[string]int{}
		for _, pod := range state {
			if !ended(pod) {
				count[nodeOf(pod)]++
				most = max(most, count[nodeOf(pod)])
			}
		}
	}
	return most
}

// fewestReady is the smallest number of nodes with a Ready Pod that was not being deleted, from the first state with full
// such nodes on. It is -1 if there never was one.
func (h history) fewestReady(full int) int {
	fewest := -1
	for _, state := range h.states {
		nodes := map[string]bool{}
		for _, pod := range state {
			if ready(pod) && pod.DeletionTimestamp == nil {
				nodes[nodeOf(pod)] = true
			}
		}
		switch {
		case fewest >= 0:
			fewest = min(fewest, len(nodes))
		case len(nodes) == full:
			fewest = full
		}
	}
	return fewest
}

// made counts, for each node, the Pods of a revision that were ever created.
func (h history) made(hash string) map[string]int {
	count := map[string]int{}
	for _, pod := range h.firsts {
		if pod.Labels[hashLabel] == hash {
			count[nodeOf(pod)]++
		}
	}
	return count
}
