package acceptance

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/everynode/everynode/test/harness"
)

// TestControllerRefuses: what cannot work ends the process with a text that says what to do.
func TestControllerRefuses(t *testing.T) {
	broken := nodesFile(t, "this is no kubeconfig")
	held := freeAddress(t)
	listenOn(t, held)
	dead := deadKubeconfig(t)
	for name, refusal := range map[string]struct {
		flags []string
		want  []string
	}{
		"no kubeconfig":     {[]string{"--kubeconfig", "/nowhere/config"}, []string{"/nowhere/config", "--kubeconfig", "$KUBECONFIG"}},
		"broken kubeconfig": {[]string{"--kubeconfig", broken}, []string{broken, "--kubeconfig"}},
		"unknown placement": {[]string{"--kubeconfig", dead, "--placement", "lottery"}, []string{"--placement=lottery", "direct", "scheduler"}},
		"metrics port taken": {
			[]string{"--kubeconfig", dead, "--metrics-bind-address", held},
			[]string{held, "address already in use", "--metrics-bind-address"},
		},
		"probe port taken": {
			[]string{"--kubeconfig", dead, "--leader-elect", "--health-probe-bind-address", held},
			[]string{held, "address already in use", "--health-probe-bind-address"},
		},
		"one port for both": {
			[]string{"--kubeconfig", dead, "--metrics-bind-address", "127.0.0.1:1", "--health-probe-bind-address", "127.0.0.1:1"},
			[]string{"--metrics-bind-address and --health-probe-bind-address are both 127.0.0.1:1"},
		},
		"unknown flag":        {[]string{"--kubeconfg", dead}, []string{"unknown flag: --kubeconfg"}},
		"unexpected argument": {[]string{"start"}, []string{"start"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startController(t, refusal.flags...)
			if code := p.wait(t, patience); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			for _, text := range refusal.want {
				if !strings.Contains(p.output(), text) {
					t.Errorf("it does not say %q:\n%s", text, p.output())
				}
			}
			if n := strings.Count("\n"+p.output(), "\nerror: "); n != 1 {
				t.Errorf("%d lines begin with error:\n%s", n, p.output())
			}
		})
	}
}

// A cluster that does not answer is waited for: the process is alive and not ready, and stops when it is told.
func TestControllerWaitsForTheCluster(t *testing.T) {
	p := startController(t, "--kubeconfig", deadKubeconfig(t))
	p.expectCode(t, "/healthz", http.StatusOK)
	p.expectCode(t, "/readyz", http.StatusServiceUnavailable)
	harness.Eventually(t, patience, func() error {
		if n, err := p.metric("everynode_feed_errors_total"); err != nil || n == 0 {
			return fmt.Errorf("%v failed lists are counted, %w", n, err)
		}
		return nil
	})
	if !strings.Contains(p.output(), "connection refused") {
		t.Errorf("it does not say why it waits:\n%s", p.output())
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t, stopLimit); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// deadKubeconfig names a server that nobody listens for.
func deadKubeconfig(t *testing.T) string {
	t.Helper()
	return nodesFile(t, fmt.Sprintf(`
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://%s"}}]
contexts: [{name: c, context: {cluster: c, user: ""}}]
current-context: c
`, freeAddress(t)))
}
