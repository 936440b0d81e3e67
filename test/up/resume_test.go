package up

import (
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// kill -9, then `up` on the same directory: nothing is lost, nothing is doubled, and access that was given still works.
func TestKilledAndResumed(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "kubeconfig")
	first := harness.Up(t, "--nodes", "4", "--data-dir", dir, "--kubeconfig", file)
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}, Data: map[string]string{"answer": "42"}}
	created, err := first.Client.CoreV1().ConfigMaps("default").Create(t.Context(), cm, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Client.CoreV1().Nodes().Delete(t.Context(), "node-002", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	before := uids(t, first)
	if _, err := first.Stop(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("a killed process cannot remove its kubeconfig, but it is gone: %v", err)
	}

	second := harness.Start(t, "--data-dir", dir, "--kubeconfig", file)
	// The stale kubeconfig must be gone before anything is ready; else readers would take it for a sign of life.
	harness.Eventually(t, harness.ReadyLimit, func() error { return outputHas(second, "✓ etcd") })
	if err := second.WaitReady(harness.ReadyLimit); err != nil {
		t.Fatal(err)
	}
	if err := outputHas(second, "Ready in"); err != nil {
		harness.Eventually(t, harness.ReadyLimit, func() error { return outputHas(second, "Ready in") })
	}
	after := uids(t, second)
	if len(after) != len(before) {
		t.Errorf("%d objects before, %d after", len(before), len(after))
	}
	for name, uid := range before {
		if after[name] != uid {
			t.Errorf("%s had UID %s, has %q", name, uid, after[name])
		}
	}
	got, err := second.Client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil || got.ResourceVersion != created.ResourceVersion || got.Data["answer"] != "42" {
		t.Errorf("the ConfigMap came back as %+v, %v", got, err)
	}
	// Same authority and same port: a client that was configured before the crash works on.
	if first.Config.Host != second.Config.Host {
		t.Errorf("the API server moved from %s to %s", first.Config.Host, second.Config.Host)
	}
	if _, err := first.Client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("a client from before the crash: %v", err)
	}
}

// A resumed lab keeps its fleet as it was left; asking for a number of nodes adds those that are missing.
func TestResumeKeepsFleet(t *testing.T) {
	dir := t.TempDir()
	first := harness.Up(t, "--nodes", "2", "--data-dir", dir)
	if _, err := first.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	second := harness.Up(t, "--data-dir", dir)
	if got := nodeNames(t, second); len(got) != 2 {
		t.Errorf("nodes after resuming: %v; want the same 2", got)
	}
	if _, err := second.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	third := harness.Up(t, "--data-dir", dir, "--nodes", "3")
	if got := nodeNames(t, third); len(got) != 3 {
		t.Errorf("nodes after resuming with --nodes 3: %v", got)
	}
}

func nodeNames(t *testing.T, l *harness.Lab) []string {
	t.Helper()
	nodes, err := l.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range nodes.Items {
		out = append(out, n.Name)
	}
	sort.Strings(out)
	return out
}

// uids are the identities of everything that starting up could lose or double.
func uids(t *testing.T, l *harness.Lab) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(kind string, m metav1.ObjectMeta) { out[kind+" "+m.Namespace+"/"+m.Name] = string(m.UID) }
	ctx, all := t.Context(), metav1.ListOptions{}
	nodes, err := l.Client.CoreV1().Nodes().List(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes.Items {
		add("node", n.ObjectMeta)
	}
	namespaces, err := l.Client.CoreV1().Namespaces().List(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range namespaces.Items {
		add("namespace", n.ObjectMeta)
	}
	roles, err := l.Client.RbacV1().ClusterRoles().List(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles.Items {
		add("clusterrole", r.ObjectMeta)
	}
	bindings, err := l.Client.RbacV1().ClusterRoleBindings().List(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bindings.Items {
		add("clusterrolebinding", b.ObjectMeta)
	}
	accounts, err := l.Client.CoreV1().ServiceAccounts("everynode-system").List(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts.Items {
		add("serviceaccount", a.ObjectMeta)
	}
	return out
}
