package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/everynode/everynode/internal/metrics"
)

// ServeOptions say where a controller answers HTTP requests.
type ServeOptions struct {
	// MetricsAddress and ProbeAddress are host:port; empty or "0" stands for not at all.
	MetricsAddress, ProbeAddress string
	Metrics                      *metrics.Set
	// Ready tells whether the controller stands by or acts with complete facts.
	Ready *atomic.Bool
}

// Serve answers /metrics, /healthz and /readyz until ctx ends. Listen first, so that a taken address is known at once.
func Serve(ctx context.Context, o ServeOptions) error {
	servers := map[string]http.Handler{}
	if on(o.MetricsAddress) {
		mux := http.NewServeMux()
		mux.Handle("/metrics", o.Metrics.Handler())
		servers[o.MetricsAddress] = mux
	}
	if on(o.ProbeAddress) {
		mux := http.NewServeMux()
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, true) })
		mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { reply(w, o.Ready.Load()) })
		servers[o.ProbeAddress] = mux
	}
	if on(o.MetricsAddress) && o.MetricsAddress == o.ProbeAddress {
		return fmt.Errorf("--metrics-bind-address and --health-probe-bind-address are both %s; give one of them another port, or 0 to switch it off", o.ProbeAddress)
	}
	failed := make(chan error, len(servers))
	for address, handler := range servers {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listening on %s: %w; choose another address with --metrics-bind-address or --health-probe-bind-address, or 0 to switch it off", address, err)
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { failed <- server.Serve(listener) }()
		context.AfterFunc(ctx, func() {
			if err := server.Close(); err != nil {
				failed <- err
			}
		})
	}
	select {
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	case <-ctx.Done():
		return nil
	}
}

func on(address string) bool { return address != "" && address != "0" }

func reply(w http.ResponseWriter, ok bool) {
	text := "ok\n"
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "the facts are not complete yet\n"
	}
	// A probe that went away needs no answer.
	_, _ = w.Write([]byte(text))
}
