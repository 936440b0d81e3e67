package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// ServeOptions say where a controller answers HTTP requests.
type ServeOptions struct {
	// MetricsAddress and ProbeAddress are host:port; empty or "0" stands for not at all.
	MetricsAddress, ProbeAddress string
	// Metrics answers /metrics; nil stands for not found.
	Metrics http.Handler
	// Debug answers below /debug/everynode/, beside the metrics; nil stands for not found.
	Debug http.Handler
	// Ready says why the controller is not ready yet, or nil. Without it, /readyz answers like /healthz: yes.
	Ready func() error
	// Listening, if set, is told the address of "metrics" and of "probes", before any request is answered.
	Listening func(what string, address net.Addr)
}

// stopLimit is how long requests that are being answered may hold up the end.
const stopLimit = time.Second

// Serve answers /metrics, /debug/everynode/, /healthz and /readyz until ctx ends. It fails at once, and listens on nothing, if an address
// cannot be had.
func Serve(ctx context.Context, o ServeOptions) error {
	metrics, probes := http.NewServeMux(), http.NewServeMux()
	if o.Metrics != nil {
		metrics.Handle("GET /metrics", o.Metrics)
	}
	if o.Debug != nil {
		metrics.Handle("GET /debug/everynode/", o.Debug)
	}
	probes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, nil) })
	probes.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if o.Ready == nil {
			reply(w, nil)
			return
		}
		reply(w, o.Ready())
	})
	var doors []door
	for _, d := range []door{
		{what: "metrics", flag: "--metrics-bind-address", address: o.MetricsAddress, handler: metrics},
		{what: "probes", flag: "--health-probe-bind-address", address: o.ProbeAddress, handler: probes},
	} {
		if d.address == "" || d.address == "0" {
			continue
		}
		var err error
		if d.listener, err = net.Listen("tcp", d.address); err != nil {
			for _, opened := range doors {
				err = errors.Join(err, opened.listener.Close())
			}
			return fmt.Errorf("%s=%s: %w\n  choose another address, or 0 to switch it off", d.flag, d.address, err)
		}
		doors = append(doors, d)
	}
	return open(ctx, doors, o.Listening)
}

// door is one address with what is behind it.
type door struct {
	what, flag, address string
	handler             http.Handler
	listener            net.Listener
}

// open answers behind all doors until ctx ends or one of them fails.
func open(ctx context.Context, doors []door, listening func(string, net.Addr)) error {
	ended := make(chan error, len(doors))
	servers := make([]*http.Server, len(doors))
	for i, d := range doors {
		if listening != nil {
			listening(d.what, d.listener.Addr())
		}
		servers[i] = &http.Server{Handler: d.handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { ended <- fmt.Errorf("%s: %w", d.flag, servers[i].Serve(d.listener)) }()
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(stopping); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func reply(w http.ResponseWriter, err error) {
	text := "ok\n"
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = err.Error() + "\n"
	}
	// A probe that went away needs no answer.
	_, _ = io.WriteString(w, text)
}
