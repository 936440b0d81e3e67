package command

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/klog/v2"
)

// controller runs the command with these flags and gives its error. Nothing of the environment names a cluster.
func controller(ctx context.Context, t *testing.T, args ...string) error {
	t.Helper()
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Cleanup(klog.ClearLogger)
	cmd := NewController(Setting{Use: "controller", MetricsAddress: "0", ProbeAddress: "0"})
	cmd.SetArgs(args)
	return cmd.ExecuteContext(ctx)
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const kubeconfig = `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "SERVER"}}]
contexts: [{name: c, context: {cluster: c}}]
current-context: c
`

func TestWhatCannotWorkSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	silent := file(t, strings.ReplaceAll(kubeconfig, "SERVER", "http://127.0.0.1:1"))
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"placement": {[]string{"--placement=lottery"}, []string{"--placement=lottery is unknown", "direct", "scheduler"}},
		"no rate":   {[]string{"--kube-api-qps=0"}, []string{"--kube-api-qps=0 would allow no request", "-1"}},
		"one address": {
			[]string{"--metrics-bind-address=127.0.0.1:1", "--health-probe-bind-address=127.0.0.1:1"},
			[]string{"--metrics-bind-address and --health-probe-bind-address are both 127.0.0.1:1"},
		},
		"no file":   {[]string{"--kubeconfig=/nowhere/config"}, []string{"--kubeconfig=/nowhere/config: there is no such file", "$KUBECONFIG"}},
		"bad file":  {[]string{"--kubeconfig=" + file(t, "nothing of the kind")}, []string{"the kubeconfig cannot be used", "--kubeconfig FILE"}},
		"no config": {nil, []string{"no cluster to work for", "--kubeconfig FILE", "$KUBECONFIG"}},
		"taken": {
			[]string{"--kubeconfig=" + silent, "--metrics-bind-address=" + taken.Addr().String()},
			[]string{"--metrics-bind-address=" + taken.Addr().String() + ": ", "address already in use", "0 to switch it off"},
		},
		"argument": {[]string{"start"}, []string{`unknown command "start"`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := controller(t.Context(), t, c.args...)
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range c.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("it does not say %q:\n%v", text, err)
				}
			}
		})
	}
}

func TestStoppedWhileItWaitsForTheClusterIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := controller(ctx, t, "--kubeconfig="+file(t, strings.ReplaceAll(kubeconfig, "SERVER", "http://127.0.0.1:1"))); err != nil {
		t.Error(err)
	}
}

func TestABoundOnRequestsHasABurst(t *testing.T) {
	for _, c := range []struct {
		qps         float32
		burst, want int
	}{{-1, 0, 0}, {50, 0, 100}, {0.1, 0, 1}, {50, 60, 60}} {
		f := flags{placement: "direct", qps: c.qps, burst: c.burst}
		if err := f.check(); err != nil || f.burst != c.want {
			t.Errorf("qps %v, burst %d: becomes %d (%v), want %d", c.qps, c.burst, f.burst, err, c.want)
		}
	}
}

func TestTheClusterIsSpokenToInProtobuf(t *testing.T) {
	f := flags{kubeconfig: file(t, strings.ReplaceAll(kubeconfig, "SERVER", "http://127.0.0.1:1")), qps: -1}
	cfg, err := f.restConfig()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.ContentType != "application/vnd.kubernetes.protobuf" || cfg.UserAgent != "everynode-controller" || cfg.QPS != -1 {
		t.Errorf("content type %q, user agent %q, QPS %v", cfg.ContentType, cfg.UserAgent, cfg.QPS)
	}
}

func TestReadinessSaysWhatIsWaitedFor(t *testing.T) {
	r := &readiness{}
	if err := r.why(); err == nil || err.Error() != "starting" {
		t.Errorf("at first: %v", err)
	}
	r.set("the facts are not complete yet")
	if err := r.why(); err == nil || err.Error() != "the facts are not complete yet" {
		t.Errorf("then: %v", err)
	}
	if r.set(""); r.why() != nil {
		t.Errorf("at last: %v", r.why())
	}
}

func TestTheLeaseIsInThePodsNamespace(t *testing.T) {
	for path, want := range map[string]string{
		file(t, "daemons\n"): "daemons", file(t, ""): "everynode-system", "/nowhere": "everynode-system",
	} {
		if got := namespaceIn(path); got != want {
			t.Errorf("%s: namespace %q, want %q", path, got, want)
		}
	}
}

func TestTheClientsLogIsPartOfOurs(t *testing.T) {
	defer klog.ClearLogger()
	for verbosity, want := range []string{`"msg":"loud"`, `"msg":"quiet"`} {
		var out bytes.Buffer
		if _, err := newLog(&out, verbosity); err != nil {
			t.Fatal(err)
		}
		klog.Background().Info("loud")
		klog.V(1).InfoS("quiet")
		if !strings.Contains(out.String(), want) || strings.Count(out.String(), "\n") != verbosity+1 {
			t.Errorf("at %d: %s", verbosity, out.String())
		}
	}
}
