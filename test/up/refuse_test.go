package up

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/everynode/everynode/test/harness"
)

// refused starts a lab that must not come up, and checks that its error is printed once, with what to do.
func refused(t *testing.T, want []string, flags ...string) {
	t.Helper()
	l := harness.Start(t, flags...)
	code, err := l.Wait(30 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if code != 1 {
		t.Errorf("exit code %d; want 1", code)
	}
	out := l.Output()
	if n := strings.Count(out, "error:"); n != 1 {
		t.Errorf("the error is printed %d times:\n%s", n, out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("the error does not say %q:\n%s", w, out)
		}
	}
	if _, err := os.Stat(l.Kubeconfig); err == nil && len(flags) > 0 && !strings.Contains(strings.Join(flags, " "), l.Kubeconfig) {
		t.Error("a kubeconfig was left although nothing runs")
	}
}

func TestTakenPort(t *testing.T) {
	held, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := held.Close(); err != nil {
			t.Error(err)
		}
	}()
	port := fmt.Sprint(netip.MustParseAddrPort(held.Addr().String()).Port())
	refused(t, []string{"EN-LAB-002", port, "in use", "--port 0"}, "--port", port)
}

func TestSecondUpOnOneDataDir(t *testing.T) {
	dir := t.TempDir()
	first := harness.Up(t, "--nodes", "0", "--data-dir", dir)
	refused(t, []string{"EN-LAB-004", dir, fmt.Sprintf("pid %d", first.PID()), fmt.Sprintf("kill %d", first.PID())}, "--data-dir", dir)
	if out := first.Kubectl(t, "get", "--raw", "/readyz"); out != "ok" {
		t.Errorf("the first one was disturbed: %s", out)
	}
}

func TestSecondUpOnOneKubeconfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	first := harness.Up(t, "--nodes", "0", "--kubeconfig", file)
	refused(t, []string{"EN-LAB-004", file, fmt.Sprintf("kill %d", first.PID())}, "--kubeconfig", file)
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the first one's kubeconfig: %v", err)
	}
}

func TestUnwritableDir(t *testing.T) {
	// A directory below a file cannot be made by anyone, root included.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(file, "data")
	refused(t, []string{"EN-LAB-003", dir, "--data-dir"}, "--data-dir", dir)
	refused(t, []string{"EN-LAB-005", "--kubeconfig"}, "--kubeconfig", filepath.Join(file, "kubeconfig"))
}

// A kubeconfig that someone else wrote is somebody's access to a cluster.
func TestForeignKubeconfigIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	const foreign = "apiVersion: v1\nkind: Config\nclusters: [{name: prod, cluster: {server: https://prod.example}}]\n"
	if err := os.WriteFile(file, []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"EN-LAB-005", file, "--kubeconfig"}, "--kubeconfig", file)
	if got, err := os.ReadFile(file); err != nil || string(got) != foreign {
		t.Errorf("it was changed: %q, %v", got, err)
	}
}

func TestBadOptions(t *testing.T) {
	refused(t, []string{"EN-LAB-001", "direct or scheduler"}, "--placement", "magic")
	refused(t, []string{"EN-LAB-001", "--port"}, "--port", "70000")
	refused(t, []string{"EN-LAB-001", "0 or more"}, "--nodes", "-1")
	refused(t, []string{"unknown flag", "everynode up --help"}, "--no-such-flag")
	refused(t, []string{"EN-LAB-001", "--nodes-file"}, "--nodes-file", "/nonexistent.yaml")
}

func TestDamagedDataDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "pki"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pki", "ca.key"), []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"EN-LAB-008", "ca.key", "damaged"}, "--data-dir", dir)
}

// A second Ctrl-C does not wait for anything.
func TestSecondCtrlCEndsAtOnce(t *testing.T) {
	l := harness.Up(t, "--nodes", "0")
	if err := syscall.Kill(l.PID(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // two signals at once may be merged into one
	if took, err := l.Stop(syscall.SIGINT); err != nil || took > 2*time.Second {
		t.Errorf("it took %s, error %v", took, err)
	}
}
