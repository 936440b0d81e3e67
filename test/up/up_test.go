package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// stopPromise is what the documentation says: Ctrl-C or SIGTERM stops everything within three seconds.
const stopPromise = 3 * time.Second

func TestReadyAndStopped(t *testing.T) {
	l := harness.Start(t, "--nodes", "3")
	if err := l.WaitReady(harness.ReadyLimit); err != nil {
		t.Fatal(err)
	}
	// Ready means ready: the very first calls work, no retries.
	info, err := os.Stat(l.Kubeconfig)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: mode %v, error %v; want 0600", info.Mode(), err)
	}
	nodes, err := l.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 3 {
		t.Fatalf("%d nodes, error %v; want 3", len(nodes.Items), err)
	}
	for _, n := range nodes.Items {
		if !isReady(&n) {
			t.Errorf("node %s is not Ready", n.Name)
		}
	}
	if err := createPod(t.Context(), l, "first"); err != nil {
		t.Errorf("a Pod in the default namespace: %v", err)
	}

	took, err := l.Stop(syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	if took > stopPromise {
		t.Errorf("stopping took %s", took)
	}
	if code, err := l.Wait(time.Second); err != nil || code != 0 {
		t.Errorf("exit code %d, error %v; want 0", code, err)
	}
	for _, dir := range []string{l.Tmp, l.Home} {
		if left := list(t, dir); len(left) > 0 {
			t.Errorf("left behind in %s: %v", dir, left)
		}
	}
}

func TestCtrlCWhileStarting(t *testing.T) {
	l := harness.Start(t)
	harness.Eventually(t, 30*time.Second, func() error {
		if !strings.Contains(l.Output(), "✓ etcd") {
			return errors.New("etcd is not up yet")
		}
		return nil
	})
	took, err := l.Stop(syscall.SIGINT)
	if err != nil || took > stopPromise {
		t.Errorf("stopping took %s, error %v", took, err)
	}
	if left := list(t, l.Tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Nothing may be reachable from beyond this host, and etcd not even from other users of it.
func TestListensOnLoopbackOnly(t *testing.T) {
	l := harness.Up(t, "--nodes", "1", "--scheduler")
	addrs := listening(t, l.PID())
	if len(addrs) != 1 {
		t.Errorf("listens on %v; want the API server's port alone", addrs)
	}
	for _, a := range addrs {
		if !net.ParseIP(a.host).IsLoopback() {
			t.Errorf("listens on %s", a)
		}
	}
	assertPrivate(t, l.Tmp)
}

// Even a data directory that others may enter, and whose path is too long for a socket, must not open etcd.
func TestDataDirIsClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long-", 30))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l := harness.Up(t, "--nodes", "0", "--data-dir", dir)
	assertPrivate(t, filepath.Dir(dir))
	assertPrivate(t, l.Tmp)
}

func TestVersionParses(t *testing.T) {
	l := harness.Up(t, "--nodes", "0")
	out := l.Kubectl(t, "version")
	for _, line := range []string{"Client Version: v1.37.2", "Server Version: v1.37.2"} {
		if !strings.Contains(out, line) {
			t.Errorf("kubectl version has no %q:\n%s", line, out)
		}
	}
	if strings.Contains(strings.ToLower(out), "warning") {
		t.Errorf("kubectl version warns:\n%s", out)
	}
}

func TestQuietOutput(t *testing.T) {
	l := harness.Up(t, "--nodes", "1")
	if _, err := l.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	out := l.Output()
	if strings.Contains(out, "\x1b") || strings.Contains(out, "\r") {
		t.Errorf("terminal codes in a file:\n%q", out)
	}
	for _, line := range strings.Split(out, "\n") {
		if len(line) > 0 && strings.ContainsAny(line[:1], "IWE{") && strings.Contains(line, ".go:") {
			t.Errorf("a log line on the screen: %s", line)
		}
	}
}

func TestWithoutNodesAndController(t *testing.T) {
	l := harness.Up(t, "--simulate=false", "--controller=false")
	nodes, err := l.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 0 {
		t.Errorf("%d nodes, error %v; want none", len(nodes.Items), err)
	}
	if out := l.Output(); strings.Contains(out, "✓ everynode") || strings.Contains(out, "simulated nodes") {
		t.Errorf("parts that were switched off:\n%s", out)
	}
}

func createPod(ctx context.Context, l *harness.Lab, name string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.test/none"}}},
	}
	_, err := l.Client.CoreV1().Pods(metav1.NamespaceDefault).Create(ctx, pod, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func isReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// assertPrivate checks that every directory directly in root is closed to other users, and keys below it are 0600.
func assertPrivate(t *testing.T, root string) {
	t.Helper()
	found := false
	for _, name := range list(t, root) {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		found = true
		if info.IsDir() && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v; want 0700", name, info.Mode())
		}
		keys, err := filepath.Glob(filepath.Join(root, name, "pki", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if info, err := os.Stat(k); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, error %v; want 0600", k, info.Mode(), err)
			}
		}
	}
	if !found {
		t.Errorf("nothing in %s: the test looks in the wrong place", root)
	}
}

type address struct {
	host string
	port uint16
}

func (a address) String() string { return fmt.Sprintf("%s:%d", a.host, a.port) }

func outputHas(l *harness.Lab, text string) error {
	if !strings.Contains(l.Output(), text) {
		return fmt.Errorf("it has not printed %q yet", text)
	}
	return nil
}

// With placement scheduler, kube-scheduler runs without being asked for and binds what everynode creates.
func TestSchedulerPlacement(t *testing.T) {
	l := harness.Up(t, "--nodes", "2", "--placement", "scheduler")
	if err := outputHas(l, "✓ kube-scheduler"); err != nil {
		t.Error(err)
	}
	daemon := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "d"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"d": "d"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"d": "d"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.test/none"}}},
			},
		},
	}
	daemons := l.Client.AppsV1().DaemonSets(metav1.NamespaceDefault)
	if _, err := daemons.Create(t.Context(), daemon, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, func() error {
		got, err := daemons.Get(t.Context(), "d", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got.Status.NumberReady != 2 {
			return fmt.Errorf("%d of 2 ready", got.Status.NumberReady)
		}
		return nil
	})
	pods, err := l.Client.CoreV1().Pods(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{LabelSelector: "d=d"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods.Items {
		if p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil {
			t.Errorf("Pod %s was not left to the scheduler", p.Name)
		}
	}
}
