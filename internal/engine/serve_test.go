package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// opened serves o on free ports and gives the address of each door; stop waits for the end.
func opened(t *testing.T, o ServeOptions) (at map[string]string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	type door struct{ what, address string }
	doors, ended := make(chan door), make(chan error, 1)
	o.Listening = func(what string, a net.Addr) { doors <- door{what, a.String()} }
	go func() { ended <- Serve(ctx, o) }()
	at = map[string]string{}
	for _, address := range []string{o.MetricsAddress, o.ProbeAddress} {
		if address != "0" {
			d := <-doors
			at[d.what] = d.address
		}
	}
	return at, func() error { cancel(); return <-ended }
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", r.StatusCode, strings.TrimSpace(string(body)))
}

func TestProbesAndMetricsAnswer(t *testing.T) {
	var ready atomic.Bool
	at, stop := opened(t, ServeOptions{
		MetricsAddress: "127.0.0.1:0", ProbeAddress: "127.0.0.1:0",
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, nil) }),
		Ready: func() error {
			if ready.Load() {
				return nil
			}
			return errors.New("the facts are not complete yet")
		},
	})
	for url, want := range map[string]string{
		at["probes"] + "/healthz":  "200 ok",
		at["probes"] + "/readyz":   "503 the facts are not complete yet",
		at["metrics"] + "/metrics": "200 ok",
		at["metrics"] + "/healthz": "404 404 page not found",
	} {
		if got := get(t, "http://"+url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
	ready.Store(true)
	if got := get(t, "http://"+at["probes"]+"/readyz"); got != "200 ok" {
		t.Errorf("when ready: %q", got)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestZeroSwitchesADoorOff(t *testing.T) {
	at, stop := opened(t, ServeOptions{MetricsAddress: "0", ProbeAddress: "127.0.0.1:0"})
	if len(at) != 1 || at["probes"] == "" {
		t.Errorf("listening at %v, want probes alone", at)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	_, stop = opened(t, ServeOptions{MetricsAddress: "0", ProbeAddress: "0"})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestATakenAddressNamesTheFlag(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	err = Serve(t.Context(), ServeOptions{MetricsAddress: "127.0.0.1:0", ProbeAddress: taken, Listening: func(what string, _ net.Addr) {
		t.Errorf("%s is open although the other address is taken", what)
	}})
	want := "--health-probe-bind-address=" + taken + ": "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "0 to switch it off") {
		t.Errorf("error %v, want one that begins with %s", err, want)
	}
}
