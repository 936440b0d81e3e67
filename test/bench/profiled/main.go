package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/everynode/everynode/internal/command"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	path := os.Getenv("CPU_PROFILE")
	if path == "" {
		return errors.New("CPU_PROFILE is not set: name the files to write, less .1.pprof and .1.allocs.pprof, .2.pprof and so on")
	}
	next := make(chan os.Signal, 1)
	signal.Notify(next, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	profiling, done := context.WithCancel(context.Background())
	go func() { ended <- profile(profiling, path, next) }()
	defer func() {
		done()
		err = errors.Join(err, <-ended)
	}()
	cmd := command.NewController(command.Setting{Use: "profiled", Version: version})
	return cmd.ExecuteContext(ctx)
}

// profile writes one file after the other, and begins the next at each signal, until ctx ends.
func profile(ctx context.Context, path string, next <-chan os.Signal) error {
	for n := 1; ; n++ {
		f, err := os.Create(fmt.Sprintf("%s.%d.pprof", path, n))
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(err, f.Close())
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
		pprof.StopCPUProfile()
		if err := errors.Join(f.Close(), allocations(fmt.Sprintf("%s.%d.allocs.pprof", path, n))); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// allocations writes what has been allocated since the start.
func allocations(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
