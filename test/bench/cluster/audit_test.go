package cluster

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestEachRequestIsCountedOnce(t *testing.T) {
	a := &Audit{path: filepath.Join(t.TempDir(), "audit.log")}
	if calls, err := a.Calls(); err != nil || len(calls) != 0 {
		t.Fatalf("before the first request: %v, %v", calls, err)
	}
	log := `{"stage":"ResponseComplete","verb":"create","objectRef":{"resource":"pods"},"responseStatus":{"code":201}}
{"stage":"ResponseComplete","verb":"create","objectRef":{"resource":"pods"},"responseStatus":{"code":409}}
{"stage":"ResponseComplete","verb":"update","objectRef":{"resource":"daemonsets","subresource":"status"},"responseStatus":{"code":200}}
{"stage":"ResponseStarted","verb":"watch","objectRef":{"resource":"nodes"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"watch","objectRef":{"resource":"nodes"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"get","requestURI":"/version","responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"create","objec`
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(a.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want map[string]int) {
		t.Helper()
		if got, err := a.Calls(); err != nil || !maps.Equal(got, want) {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	}
	write(log)
	want(map[string]int{"create pods": 1, "create pods 409": 1, "update daemonsets/status": 1, "watch nodes": 1, "get /version": 1})
	want(map[string]int{})
	write(log + `tRef":{"resource":"pods"},"responseStatus":{"code":201}}` + "\n")
	want(map[string]int{"create pods": 1})
	write(log + `tRef":{"resource":"pods"},"responseStatus":{"code":201}}` + "\nno JSON\n")
	if got, err := a.Calls(); err == nil {
		t.Errorf("a line that cannot be read gives %v and no error", got)
	}
}
