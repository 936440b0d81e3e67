package lab

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/everynode/everynode/config"
)

func TestErrorSaysFourThings(t *testing.T) {
	e := &Error{
		Code: CodePortTaken, What: "port 1 cannot be used", Why: "another process has it", Means: "nothing was started",
		Next: []Fix{{"stop it", "kill 1"}, {"other port", "everynode up --port 0"}},
	}
	want := `error: port 1 cannot be used (EN-LAB-002)
  another process has it
  nothing was started
  stop it:     kill 1
  other port:  everynode up --port 0`
	if got := e.Text(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"placement": {Placement: "magic"},
		"nodes":     {Nodes: -1},
		"port":      {Port: 65536},
	} {
		var told *Error
		if err := o.complete(); !errors.As(err, &told) || told.Code != CodeBadOption || len(told.Next) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := Options{Placement: PlacementScheduler, Kubeconfig: "k", DataDir: "d"}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	if !o.Scheduler {
		t.Error("placement scheduler does not imply the scheduler")
	}
	if !filepath.IsAbs(o.Kubeconfig) || !filepath.IsAbs(o.DataDir) {
		t.Errorf("relative paths stay: %s %s", o.Kubeconfig, o.DataDir)
	}
}

func TestLockIsExclusiveAndReleased(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, _, err := takeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, holder, err := takeLock(path); !errors.Is(err, errLocked) || holder != os.Getpid() {
		t.Errorf("second lock: holder %d, error %v", holder, err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file stays")
	}
	again, _, err := takeLock(path)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := again.release(); err != nil {
		t.Fatal(err)
	}
}

// What a killed process leaves must not stand in the way of the next one.
func TestLockOfTheDead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, []byte("999999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, _, err := takeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(data)) != strconv.Itoa(os.Getpid()) {
		t.Errorf("the lock names %q, %v", data, err)
	}
	if err := l.release(); err != nil {
		t.Fatal(err)
	}
}

func TestPKISurvivesAndVerifies(t *testing.T) {
	dir := t.TempDir()
	first, err := openPKI(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := openPKI(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.ca.certPEM, second.ca.certPEM) {
		t.Error("the authority changed")
	}
	if err := second.serving(); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(second.file("apiserver.crt"), second.file("apiserver.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(first.ca.cert)
	for _, name := range []string{"127.0.0.1", "localhost", "kubernetes.default.svc", serviceIP} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err != nil {
			t.Errorf("as %s: %v", name, err)
		}
	}
	c, err := second.client("someone", "a-group")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(c.cert)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if leaf.Subject.CommonName != "someone" || leaf.Subject.Organization[0] != "a-group" || leaf.IsCA {
		t.Errorf("client certificate: %v", leaf.Subject)
	}
	assertMode(t, dir, 0o600)
}

func assertMode(t *testing.T, dir string, want os.FileMode) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestPKIMismatchIsReported(t *testing.T) {
	dir := t.TempDir()
	if _, err := openPKI(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	var told *Error
	if _, err := openPKI(dir); !errors.As(err, &told) || told.Code != CodeData {
		t.Errorf("a certificate without its key: %v", err)
	}
}

func TestKubeconfigClaim(t *testing.T) {
	p, err := openPKI(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.client("u")
	if err != nil {
		t.Fatal(err)
	}
	data, err := kubeconfig("https://127.0.0.1:1234", p.ca.certPEM, c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sub", "kubeconfig")
	l, err := claimKubeconfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := writePrivate(path, data); err != nil {
		t.Fatal(err)
	}
	if cfg, err := clientcmd.BuildConfigFromFlags("", path); err != nil || cfg.Host != "https://127.0.0.1:1234" {
		t.Errorf("reading it back: %v, %v", cfg, err)
	}
	// As if the process had been killed: the lock is free, the file is there.
	if err := l.file.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := claimKubeconfig(path)
	if err != nil {
		t.Fatalf("the file of a killed lab: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the stale kubeconfig stays")
	}
	if err := next.release(); err != nil {
		t.Fatal(err)
	}
}

func TestSocketsOfLongPaths(t *testing.T) {
	for name, dir := range map[string]string{
		"long": filepath.Join(t.TempDir(), strings.Repeat("x", 120)),
		"odd":  filepath.Join(t.TempDir(), "a,b=c"),
	} {
		s, err := openState(dir)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(s.run, dir) {
			t.Errorf("%s: sockets are in %s", name, s.run)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.run); err == nil {
			t.Errorf("%s: %s stays", name, s.run)
		}
	}
}

// What a killed lab leaves is removed by the next one; what a living one uses is not.
func TestSweep(t *testing.T) {
	root := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"dead", "alive", "young"} {
		path := filepath.Join(root, tempPrefix+name, "lock")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "young" {
			continue
		}
		if name == "alive" {
			l, _, err := takeLock(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := l.release(); err != nil {
					t.Error(err)
				}
			}()
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"dead": false, "alive": true, "young": true} {
		if _, err := os.Stat(filepath.Join(root, tempPrefix+name)); (err == nil) != want {
			t.Errorf("%s: exists %v; want %v", name, err == nil, want)
		}
	}
}

func TestPortIsRemembered(t *testing.T) {
	s, err := openState(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first := listenOn(t, s)
	if second := listenOn(t, s); second != first {
		t.Errorf("port %d, then %d", first, second)
	}
	// Taken meanwhile: another one is better than none.
	held, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(first)))
	if err != nil {
		t.Fatal(err)
	}
	if third := listenOn(t, s); third == first {
		t.Error("listens on a taken port")
	}
	if err := errors.Join(held.Close(), s.close()); err != nil {
		t.Fatal(err)
	}
}

func listenOn(t *testing.T, s *state) int {
	t.Helper()
	l, err := s.listen(0)
	if err != nil {
		t.Fatal(err)
	}
	port := portOf(l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

// Server-side apply is given resources that were guessed from kinds: every manifest must guess right.
func TestManifestsDecode(t *testing.T) {
	want := map[string]bool{
		"namespaces": true, "serviceaccounts": true, "clusterroles": true, "clusterrolebindings": true,
		"roles": true, "rolebindings": true,
	}
	total := 0
	for _, name := range []string{config.Namespace, config.Controller, config.Simnode} {
		data, err := config.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := decode(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		total += len(objects)
		for _, o := range objects {
			if r, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind()); !want[r.Resource] {
				t.Errorf("%s: %s becomes %s", name, o.GetKind(), r.Resource)
			}
		}
	}
	if total != 11 {
		t.Errorf("%d objects; want 11", total)
	}
}

func TestStopDoesNotWaitForever(t *testing.T) {
	p := newParts(func(error) {})
	for range 3 {
		hung := make(chan struct{})
		s := p.stage()
		s.wg.Add(1)
		go func() { defer s.wg.Done(); <-hung }()
		t.Cleanup(func() { close(hung) })
	}
	begun := time.Now()
	if p.stop(200 * time.Millisecond) {
		t.Error("three stages hang, and stop is content")
	}
	if took := time.Since(begun); took > 400*time.Millisecond {
		t.Errorf("it took %s", took)
	}
}
