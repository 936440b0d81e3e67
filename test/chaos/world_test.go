package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/test/harness"
)

const (
	// startLimit and settleLimit are guards for a machine that is busy with other things.
	startLimit  = 2 * time.Minute
	settleLimit = 4 * time.Minute
	// retryEvery is for requests to an API server that may be down.
	retryEvery = 100 * time.Millisecond
)

// world is the four processes, and what watches them.
type world struct {
	t        *testing.T
	dir      string // a short one: sockets are in it
	bin      string
	port     int
	nodes    int
	judge    *judge
	recorder *recorder
	etcd     *keeper
	server   *keeper
	replicas [2]*keeper
	metrics  [2]string
	client   kubernetes.Interface
	resumed  atomic.Bool // the nodes are there
	begun    time.Time
}

// newWorld starts everything and gives it the two DaemonSets. ctx ends the processes.
func newWorld(ctx context.Context, t *testing.T, nodes int) *world {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "chaos")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, bin: harness.Binary(t), port: quietPort(t), nodes: nodes, judge: newJudge(percent), begun: time.Now()}
	t.Cleanup(w.remove)
	if err := os.WriteFile(w.path("policy.yaml"), []byte(auditPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	if w.etcd, err = keep(ctx, "etcd", w.startEtcd); err != nil {
		t.Fatal(err)
	}
	w.recorder = record(ctx, w.path("etcd", "run", "client.sock"), w.judge.take)
	if w.server, err = keep(ctx, "API server", w.startServer); err != nil {
		t.Fatal(err)
	}
	if err := w.serving(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.connect(); err != nil {
		t.Fatal(err)
	}
	for i := range w.replicas {
		file, err := w.account(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		w.metrics[i] = fmt.Sprintf("127.0.0.1:%d", quietPort(t))
		w.replicas[i], err = keep(ctx, fmt.Sprintf("controller %d", i+1), func() (*harness.Process, error) {
			return harness.Launch(w.bin, w.env(), "controller", "--leader-elect", "--kubeconfig", file, "--metrics-bind-address", w.metrics[i])
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) path(elem ...string) string {
	return filepath.Join(append([]string{w.dir}, elem...)...)
}

func (w *world) env() []string {
	return []string{"HOME=" + w.dir, "TMPDIR=" + w.dir, "KUBECONFIG="}
}

// keepers are the processes in the order in which they may be stopped.
func (w *world) keepers() []*keeper {
	return []*keeper{w.replicas[0], w.replicas[1], w.server, w.etcd}
}

// remove takes the files away, once nobody uses them any more.
func (w *world) remove() {
	for _, k := range w.keepers() {
		if k != nil {
			<-k.over
		}
	}
	if w.t.Failed() {
		w.t.Logf("what the processes left is in %s", w.dir)
		return
	}
	if err := os.RemoveAll(w.dir); err != nil {
		w.t.Error(err)
	}
}

func (w *world) startEtcd() (*harness.Process, error) {
	return harness.Launch(w.bin, w.env(), "etcd", "--data-dir", w.path("etcd"))
}

// startServer starts `up` without its controller, or resumes it. The kubeconfig goes first: it is the sign of readiness.
func (w *world) startServer() (*harness.Process, error) {
	if err := os.Remove(w.path("kubeconfig")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	args := []string{
		"up", "--controller=false", "--data-dir", w.path("up"), "--kubeconfig", w.path("kubeconfig"), "--port", fmt.Sprint(w.port),
		"--etcd-servers", "unix://" + w.path("etcd", "run", "client.sock"),
		"--kube-apiserver-arg", "audit-policy-file=" + w.path("policy.yaml"),
		"--kube-apiserver-arg", "audit-log-path=" + w.path("audit.log"),
		"--kube-apiserver-arg", "audit-log-maxsize=100000", // megabytes: one file, never rotated
	}
	if !w.resumed.Load() {
		args = append(args, "--nodes", fmt.Sprint(w.nodes)) // a resumed fleet is as it was left
	}
	return harness.Launch(w.bin, w.env(), args...)
}

// serving waits until the API server's process says that it is ready.
func (w *world) serving(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		if _, err := os.Stat(w.path("kubeconfig")); err == nil {
			return nil
		}
		if err := pause(limit, retryEvery); err != nil {
			return fmt.Errorf("the API server is not ready after %s: %w\n%s", startLimit, err, w.server.running().Output())
		}
	}
}

// connect makes the client of whoever uses the cluster: its certificate is good for all the API server's lives.
func (w *world) connect() error {
	cfg, err := clientcmd.BuildConfigFromFlags("", w.path("kubeconfig"))
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Timeout = -1, 15*time.Second
	w.resumed.Store(true)
	w.client, err = kubernetes.NewForConfig(cfg)
	return err
}

// account writes a kubeconfig with a token of its own for a replica.
func (w *world) account(ctx context.Context, i int) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(24 * 3600))}}
	token, err := w.client.CoreV1().ServiceAccounts("everynode-system").CreateToken(ctx, "everynode-controller", request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	cfg, err := clientcmd.LoadFromFile(w.path("kubeconfig"))
	if err != nil {
		return "", err
	}
	cfg.AuthInfos = map[string]*clientcmdapi.AuthInfo{"controller": {Token: token.Status.Token}}
	for _, c := range cfg.Contexts {
		c.AuthInfo = "controller"
	}
	file := w.path(fmt.Sprintf("controller-%d.kubeconfig", i+1))
	return file, clientcmd.WriteToFile(*cfg, file)
}

// quietPort is a free one that no outgoing connection takes while its owner is being restarted.
func quietPort(t *testing.T) int {
	t.Helper()
	for port := 20000 + os.Getpid()%5000; port < 32000; port += 7 {
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if !taken[port] {
				taken[port] = true
				return port
			}
		}
	}
	t.Fatal("no free port below 32000")
	return 0
}

var taken = map[int]bool{}

// leader is the replica that counts itself as leader, or -1. One that is frozen does not answer.
func (w *world) leader() int {
	client := http.Client{Timeout: 300 * time.Millisecond}
	for i, address := range w.metrics {
		answer, err := client.Get("http://" + address + "/metrics")
		if err != nil {
			continue
		}
		text := make([]byte, 1<<20)
		n := 0
		for err == nil && n < len(text) {
			var m int
			m, err = answer.Body.Read(text[n:])
			n += m
		}
		if answer.Body.Close() == nil && strings.Contains(string(text[:n]), "\neverynode_leader 1\n") {
			return i
		}
	}
	return -1
}

// insist repeats a request until it is answered or ctx ends; an API server that is down is no answer.
func insist(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if pause(ctx, retryEvery) != nil {
			return err
		}
	}
}

// daemonPods are the Pods of both DaemonSets, in an order that depends on their names only.
func (w *world) daemonPods(ctx context.Context) (pods []corev1.Pod, err error) {
	err = insist(ctx, func() error {
		list, err := w.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err == nil {
			pods = list.Items
		}
		return err
	})
	return pods, err
}

// tell says what happens, with the time since the start.
func (w *world) tell(format string, args ...any) {
	w.t.Helper()
	w.t.Logf("%6.1fs  %s", time.Since(w.begun).Seconds(), fmt.Sprintf(format, args...))
}

// thaw lets a process that was frozen run on.
func thaw(p *harness.Process) error { return p.Signal(syscall.SIGCONT) }
