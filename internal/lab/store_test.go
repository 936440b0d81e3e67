package lab

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEtcdServers(t *testing.T) {
	for _, good := range []string{"", "unix:///a/b.sock", "http://127.0.0.1:2379", "https://a:1,https://b:1"} {
		if err := checkEtcdServers(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"127.0.0.1:2379", "unix://", "http://", "ftp://a", "http://a:1,"} {
		var told *Error
		if err := checkEtcdServers(bad); !errors.As(err, &told) || told.Code != CodeBadOption || len(told.Next) == 0 {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What the user adds comes last, so that it wins, and the dashes may be given or not.
func TestAPIServerArgs(t *testing.T) {
	p, err := openPKI(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	got := apiServerFlags("unix:///s", p, []string{"audit-log-path=-", "--v=3"})
	if got[0] != "--etcd-servers=unix:///s" || !slices.Equal(got[len(got)-2:], []string{"--audit-log-path=-", "--v=3"}) {
		t.Errorf("flags: %q", got)
	}
}

func TestReachEtcd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := reachEtcd(t.Context(), "unix://"+path); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var told *Error
	if err := reachEtcd(ctx, "unix://"+path); !errors.As(err, &told) || told.Code != CodeStart || !strings.Contains(told.Text(), "everynode etcd") {
		t.Errorf("nobody listens: %v", err)
	}
}

// Where it listens must not change from start to start, so a path that cannot hold the socket is refused, and stays clean.
func TestEtcdRefusesALongPath(t *testing.T) {
	var told *Error
	err := Etcd(t.Context(), EtcdOptions{DataDir: filepath.Join(t.TempDir(), strings.Repeat("x", 120))})
	if !errors.As(err, &told) || told.Code != CodeBadOption {
		t.Error(err)
	}
}
