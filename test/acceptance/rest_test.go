package acceptance

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// settled is how long nothing is done after a state is reached, so that what still comes is not taken for the next step's.
const settled = 2 * time.Second

// restFor is how long nothing may be written once everything is as it should be: more than a heartbeat of each node.
const restFor = 20 * time.Second

// versions are the resource versions of all that everynode may write in this space, events included.
func (s *space) versions(t *testing.T) map[string]string {
	t.Helper()
	return s.versionsIn(t, s.name)
}

func (c *cluster) versionsIn(t *testing.T, namespace string) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(kind string, m metav1.ObjectMeta) {
		name := m.Name
		if namespace == "" {
			name = m.Namespace + "/" + name
		}
		out[kind+" "+name] = m.ResourceVersion
	}
	sets, err := c.Client.AppsV1().DaemonSets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range sets.Items {
		add("daemonset", sets.Items[i].ObjectMeta)
	}
	revisions, err := c.Client.AppsV1().ControllerRevisions(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range revisions.Items {
		add("revision", revisions.Items[i].ObjectMeta)
	}
	pods, err := c.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		add("pod", pods.Items[i].ObjectMeta)
	}
	events, err := c.Client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events.Items {
		if events.Items[i].Source.Component == "everynode" {
			add("event", events.Items[i].ObjectMeta)
		}
	}
	return out
}

func unchanged(t *testing.T, before, after map[string]string) {
	t.Helper()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("written to although nothing was left to do (-before +after):\n%s", diff)
	}
}

// At rest nothing is written: neither object nor event, while every node's heartbeats go on. The API server's own count
// of requests says that nothing was even tried.
func (c *cluster) testAtRest(t *testing.T) {
	lasts(t, settled)
	before, tried := c.versionsIn(t, ""), c.writeCalls(t)
	if len(before) == 0 {
		t.Fatal("there is nothing to look at")
	}
	lasts(t, restFor)
	unchanged(t, before, c.versionsIn(t, ""))
	if now := c.writeCalls(t); now != tried {
		t.Errorf("%v calls that write DaemonSets, Pods or revisions were made at rest", now-tried)
	}
	t.Logf("%d objects and events were at rest", len(before))
}

// writeCalls is how many calls that change a DaemonSet, Pod or ControllerRevision the API server has answered, whatever
// the answer was.
func (c *cluster) writeCalls(t *testing.T) float64 {
	t.Helper()
	text := c.Kubectl(t, "get", "--raw", "/metrics")
	n := 0.0
	for _, resource := range []string{"daemonsets", "pods", "controllerrevisions"} {
		for _, verb := range []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"} {
			n += sum(text, "apiserver_request_total", "resource="+resource, "verb="+verb)
		}
	}
	return n
}
