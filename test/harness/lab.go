package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// ReadyLimit is how long a lab may take to become ready on a busy machine. Idle, it takes three seconds.
	ReadyLimit = 90 * time.Second
	stopLimit  = 10 * time.Second
)

// Lab is one `everynode up` process.
type Lab struct {
	Kubeconfig string // its presence means ready
	Home       string // HOME of the process
	Tmp        string // TMPDIR of the process, with a short path as sockets need it
	Client     kubernetes.Interface
	Config     *rest.Config

	*Process
}

// Up starts a lab with these flags, waits until it is ready, and stops it when the test ends.
func Up(t testing.TB, flags ...string) *Lab {
	t.Helper()
	l := Start(t, flags...)
	if err := l.WaitReady(ReadyLimit); err != nil {
		t.Fatalf("everynode up %s: %v\n%s", strings.Join(flags, " "), err, l.Output())
	}
	return l
}

// Start starts a lab and does not wait. Use it to test how `up` fails.
func Start(t testing.TB, flags ...string) *Lab {
	t.Helper()
	home := t.TempDir()
	l := &Lab{Home: home, Tmp: shortTemp(t), Kubeconfig: filepath.Join(home, "kubeconfig")}
	args := append([]string{"up"}, flags...)
	if given := flagValue(flags, "--kubeconfig"); given != "" {
		l.Kubeconfig = given
	} else {
		args = append(args, "--kubeconfig", l.Kubeconfig)
	}
	var err error
	if l.Process, err = Launch(Binary(t), []string{"HOME=" + home, "TMPDIR=" + l.Tmp, "KUBECONFIG="}, args...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := l.Stop(syscall.SIGTERM); err != nil {
			t.Errorf("stop everynode up: %v", err)
		}
		if t.Failed() {
			t.Logf("everynode up %s printed:\n%s", strings.Join(flags, " "), l.Output())
		}
	})
	return l
}

func shortTemp(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the lab's temporary files: %v", err)
		}
	})
	return dir
}

// WaitReady waits for the kubeconfig and connects the client.
func (l *Lab) WaitReady(limit time.Duration) error {
	deadline := time.After(limit)
	for {
		if _, err := os.Stat(l.Kubeconfig); err == nil {
			return l.connect()
		}
		select {
		case <-l.exited:
			return fmt.Errorf("it ended before it was ready: %w", l.err)
		case <-deadline:
			return fmt.Errorf("not ready after %s", limit)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (l *Lab) connect() error {
	cfg, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS = -1
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	l.Config, l.Client = cfg, client
	return nil
}

// Everynode runs another everynode command against this lab and gives its stdout and stderr together.
func (l *Lab) Everynode(t testing.TB, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Env = append(os.Environ(), "HOME="+l.Home, "KUBECONFIG="+l.Kubeconfig)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Kubectl runs the embedded kubectl against this lab; an error ends the test.
func (l *Lab) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := l.Everynode(t, append([]string{"kubectl"}, args...)...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Binary is the everynode to test.
func Binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("EVERYNODE_BIN"); path != "" {
		return path
	}
	path := filepath.Join(Root(), "bin", "everynode")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("there is no binary to test: %v\n  make it:  make build", err)
	}
	return path
}

// Root is the repository's directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Eventually retries f until it gives nil; after limit the test ends with its last error.
func Eventually(t testing.TB, limit time.Duration, f func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %v", limit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func flagValue(flags []string, name string) string {
	for i, f := range flags {
		if f == name && i+1 < len(flags) {
			return flags[i+1]
		}
		if v, ok := strings.CutPrefix(f, name+"="); ok {
			return v
		}
	}
	return ""
}
