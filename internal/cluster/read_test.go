package cluster

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/snapshot"
)

func clientset() *fake.Clientset {
	return fake.NewClientset(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", ResourceVersion: "1"}},
		&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "d", ResourceVersion: "1"}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "ours", ResourceVersion: "1"}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "b", Name: "theirs", ResourceVersion: "1"}},
	)
}

// forbid refuses a verb on a resource, in all namespaces at once or in each.
func forbid(c *fake.Clientset, resource string, only func(namespace string) bool) {
	c.PrependReactor("list", resource, func(a k8stesting.Action) (bool, runtime.Object, error) {
		if !only(a.GetNamespace()) {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", nil)
	})
}

func anywhere(string) bool { return true }

func podNames(s *snapshot.Snapshot) []string {
	var out []string
	for i := range s.Pods {
		out = append(out, s.Pods[i].Namespace+"/"+s.Pods[i].Name)
	}
	return out
}

// What may not be read is named, and the rest is there.
func TestRightsThatAreMissing(t *testing.T) {
	c := clientset()
	forbid(c, "nodes", anywhere)
	forbid(c, "events", anywhere)
	forbid(c, "pods", func(namespace string) bool { return namespace == "" })
	s, err := Read(context.Background(), c, Scope{Namespace: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/ours"}, podNames(s)); diff != "" {
		t.Errorf("Pods: %s", diff)
	}
	got := map[string]string{}
	for _, m := range s.Missing {
		got[m.Verb+" "+m.Resource+" in "+m.Namespace] = m.Why
	}
	if diff := cmp.Diff(map[string]string{"list nodes in ": "Forbidden", "list events in a": "Forbidden", "list pods in ": "Forbidden"}, got); diff != "" {
		t.Errorf("missing: %s", diff)
	}
	if len(s.DaemonSets) != 1 || len(s.Nodes) != 0 {
		t.Errorf("%d DaemonSets, %d nodes", len(s.DaemonSets), len(s.Nodes))
	}
}

// Quotas are read where they are asked for, and missed only there.
func TestQuotas(t *testing.T) {
	c := clientset()
	if err := c.Tracker().Add(&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "compute"}}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		asked, forbidden bool
		quotas, missing  int
	}{{false, false, 0, 0}, {true, false, 1, 0}, {false, true, 0, 0}, {true, true, 0, 1}} {
		if tc.forbidden {
			forbid(c, "resourcequotas", anywhere)
		}
		s, err := Read(context.Background(), c, Scope{Namespace: "a", Quotas: tc.asked})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Quotas) != tc.quotas || len(s.Missing) != tc.missing {
			t.Errorf("%+v: quotas %v, missing %v", tc, s.Quotas, s.Missing)
		}
		for _, m := range s.Missing {
			if m.Resource != "resourcequotas" || m.Namespace != "a" || m.Effect != "whether a quota refuses new Pods" {
				t.Errorf("missing %+v", m)
			}
		}
	}
}

// Without DaemonSets there is nothing to tell.
func TestDaemonSetsThatMayNotBeRead(t *testing.T) {
	c := clientset()
	forbid(c, "daemonsets", anywhere)
	if _, err := Read(context.Background(), c, Scope{}); !apierrors.IsForbidden(err) {
		t.Errorf("error = %v", err)
	}
}

// A list that goes stale between two pages goes on where it was.
func TestPages(t *testing.T) {
	var asked, got []string
	list := func(_ context.Context, o metav1.ListOptions) (*corev1.PodList, error) {
		asked = append(asked, o.Continue)
		switch o.Continue {
		case "":
			return &corev1.PodList{ListMeta: metav1.ListMeta{Continue: "second"}, Items: make([]corev1.Pod, 2)}, nil
		case "second":
			err := apierrors.NewResourceExpired("too old")
			err.ErrStatus.Continue = "second, as it is now"
			return nil, err
		}
		return &corev1.PodList{Items: make([]corev1.Pod, 1)}, nil
	}
	err := each(context.Background(), list, metav1.ListOptions{}, func(l *corev1.PodList) error {
		got = append(got, strings.Repeat("p", len(l.Items)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "second", "second, as it is now"}, asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"pp", "p"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLiveState(t *testing.T) {
	answers := map[string]string{
		"/debug/everynode/daemonsets/a/d":     `{"version":"everynode.dev/live.v1","placement":"direct","namespace":"a","name":"d","uid":"u","calls":3}`,
		"/debug/everynode/daemonsets/a/newer": `{"version":"everynode.dev/live.v9"}`,
		"/debug/everynode/daemonsets/a/html":  `<html>`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		if !ok {
			http.Error(w, "the controller knows no DaemonSet", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	door, err := AtURL(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	s := &snapshot.Snapshot{}
	if err := Live(context.Background(), door, s, types.NamespacedName{Namespace: "a", Name: "d"}); err != nil {
		t.Fatal(err)
	}
	want := []live.State{{Version: live.Version, Placement: "direct", Namespace: "a", Name: "d", UID: "u", Calls: 3}}
	if diff := cmp.Diff(want, s.Live); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{
		"newer": `the controller tells its state as "everynode.dev/live.v9", and this program reads "everynode.dev/live.v1"`,
		"html":  "does not answer as a controller of everynode does",
		"none":  "404 Not Found: the controller knows no DaemonSet",
	} {
		err := Live(context.Background(), door, s, types.NamespacedName{Namespace: "a", Name: name})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if _, err := AtURL("ftp://x"); err == nil || !strings.Contains(err.Error(), "use http://HOST:PORT or unix:///PATH") {
		t.Errorf("ftp: error = %v", err)
	}
}

// The lease names the Pod.
func TestTheWayThroughAPod(t *testing.T) {
	now := time.Now()
	lease := snapshot.Lease{Namespace: "everynode-system", Name: live.LeaseName, Holder: "controller-abc_123", Renewed: now, Seconds: 15}
	pod := func(address string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "everynode-system", Name: "controller-abc"}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Args: []string{"--leader-elect=true", "--metrics-bind-address=" + address}}},
		}}
	}
	for name, c := range map[string]struct {
		snapshot snapshot.Snapshot
		objects  []runtime.Object
		want     string // of the error, or the door's name
	}{
		"open to the cluster": {snapshot.Snapshot{Taken: now, Leases: []snapshot.Lease{lease}}, []runtime.Object{pod("0.0.0.0:8080")}, "Pod everynode-system/controller-abc"},
		"no Pod":              {snapshot.Snapshot{Taken: now, Leases: []snapshot.Lease{lease}}, nil, "controller-abc_123 holds the lease, and is no Pod in namespace everynode-system"},
		"a lease run out":     {snapshot.Snapshot{Taken: now.Add(time.Hour), Leases: []snapshot.Lease{lease}}, nil, "nobody holds a lease everynode-controller"},
		"no lease at all":     {snapshot.Snapshot{Taken: now}, nil, "nobody holds a lease everynode-controller"},
	} {
		t.Run(name, func(t *testing.T) {
			door, err := ThroughPod(context.Background(), fake.NewClientset(c.objects...), nil, &c.snapshot)
			var got string
			if err != nil {
				got = err.Error()
			} else {
				got = door.name
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
