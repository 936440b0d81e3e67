package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/everynode/everynode/test/harness"
)

// controller is one `everynode controller` process.
type controller struct {
	metrics, probes string // host:port
	cmd             *exec.Cmd
	exited          chan struct{}
	mu              sync.Mutex
	out             bytes.Buffer
}

// Write takes the process's output.
func (p *controller) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *controller) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// control starts a controller against a cluster, under the service account and the rights that config/rbac gives it.
func (c *cluster) control(t *testing.T, flags ...string) *controller {
	t.Helper()
	return startController(t, append([]string{"--kubeconfig", c.accountKubeconfig(t)}, flags...)...)
}

// startController starts a controller on free ports; flags given later win.
func startController(t *testing.T, flags ...string) *controller {
	t.Helper()
	p := &controller{metrics: freeAddress(t), probes: freeAddress(t), exited: make(chan struct{})}
	args := append([]string{"controller", "--metrics-bind-address", p.metrics, "--health-probe-bind-address", p.probes}, flags...)
	p.cmd = exec.Command(harness.Binary(t), args...)
	p.cmd.Env = append(os.Environ(), "KUBECONFIG=", "HOME="+t.TempDir())
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		// How it ended is read from ProcessState.
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.signal(t, syscall.SIGKILL)
		<-p.exited
		if t.Failed() {
			t.Logf("everynode %s printed:\n%s", strings.Join(args, " "), p.output())
		}
	})
	return p
}

func (p *controller) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal %s: %v", sig, err)
	}
}

// wait gives the exit code of a process that ends.
func (p *controller) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("it still runs after %s; it printed:\n%s", limit, p.output())
		return 0
	}
}

// get reads a page of the process.
func get(address, path string) (code int, body string, err error) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + address + path)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), errors.Join(err, answer.Body.Close())
}

// metric sums up the samples of a metric; a process that does not answer is an error.
func (p *controller) metric(name string, labels ...string) (float64, error) {
	code, text, err := get(p.metrics, "/metrics")
	if err != nil || code != http.StatusOK {
		return 0, fmt.Errorf("/metrics: code %d, %w", code, err)
	}
	return sum(text, name, labels...), nil
}

// number is metric for a process that must answer.
func (p *controller) number(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	n, err := p.metric(name, labels...)
	if err != nil {
		t.Fatalf("%v; it printed:\n%s", err, p.output())
	}
	return n
}

// expectMetric waits until the metric has this value.
func (p *controller) expectMetric(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		got, err := p.metric(name, labels...)
		if err == nil && got != want {
			err = fmt.Errorf("%s%v is %v, want %v", name, labels, got, want)
		}
		return err
	})
}

// expectCode waits until a probe answers with this code.
func (p *controller) expectCode(t *testing.T, path string, want int) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		code, body, err := get(p.probes, path)
		if err == nil && code != want {
			err = fmt.Errorf("%s answers %d %q, want %d", path, code, body, want)
		}
		return err
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().String()
}

// accountKubeconfig applies config/rbac as an administrator would, and writes a kubeconfig for the controller's account.
func (c *cluster) accountKubeconfig(t *testing.T) string {
	t.Helper()
	for _, file := range []string{"00-namespace.yaml", "controller.yaml"} {
		c.Kubectl(t, "apply", "--server-side", "--force-conflicts", "-f", filepath.Join(harness.Root(), "config", "rbac", file))
	}
	request := &authenticationv1.TokenRequest{}
	token, err := c.Client.CoreV1().ServiceAccounts("everynode-system").CreateToken(t.Context(), "everynode-controller", request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.LoadFromFile(c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cfg.AuthInfos = map[string]*clientcmdapi.AuthInfo{"controller": {Token: token.Status.Token}}
	for _, context := range cfg.Contexts {
		context.AuthInfo = "controller"
	}
	path := filepath.Join(t.TempDir(), "controller.kubeconfig")
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// listenOn holds an address until the test ends.
func listenOn(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
