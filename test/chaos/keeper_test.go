package chaos

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/everynode/everynode/test/harness"
)

// keeper keeps one process running, as systemd or a kubelet would: whenever it ends, it is started again.
type keeper struct {
	name  string
	start func() (*harness.Process, error)

	mu      sync.Mutex
	process *harness.Process
	asked   bool // its end was asked for
	pause   time.Duration
	ends    []string // those that nobody asked for, with the last that it said
	starts  int
	over    chan struct{}
}

const (
	restartAfter = time.Second
	lastLines    = 3
)

// keep starts the process and restarts it until ctx ends; then it is told to stop.
func keep(ctx context.Context, name string, start func() (*harness.Process, error)) (*keeper, error) {
	k := &keeper{name: name, start: start, pause: restartAfter, over: make(chan struct{})}
	if err := k.launch(); err != nil {
		return nil, err
	}
	go k.loop(ctx)
	return k, nil
}

func (k *keeper) launch() error {
	p, err := k.start()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.process, k.asked = p, false
		k.starts++
	}
	return err
}

func (k *keeper) loop(ctx context.Context) {
	defer close(k.over)
	for {
		p := k.running()
		select {
		case <-ctx.Done():
			if err := p.Signal(syscall.SIGCONT); err == nil {
				_, err = p.Stop(syscall.SIGTERM)
				k.note(err)
			}
			return
		case <-p.Exited():
		}
		code, err := p.Wait(time.Second) // it has ended
		k.mu.Lock()
		wait := k.pause
		if !k.asked {
			k.ends = append(k.ends, fmt.Sprintf("exit code %d%s: %s", code, sayError(err), tail(p.Output())))
		}
		k.mu.Unlock()
		for again := true; again && pause(ctx, wait) == nil; wait = restartAfter {
			err := k.launch()
			k.note(err)
			again = err != nil
		}
	}
}

func (k *keeper) note(err error) {
	if err != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.ends = append(k.ends, err.Error())
	}
}

func (k *keeper) running() *harness.Process {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.process
}

// end ends the process with a signal; it is started again after a while.
func (k *keeper) end(sig syscall.Signal, restart time.Duration) error {
	k.mu.Lock()
	k.asked, k.pause = true, restart
	p := k.process
	k.mu.Unlock()
	_, err := p.Stop(sig)
	return err
}

// unasked are the ends that nobody asked for.
func (k *keeper) unasked() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ends
}

func sayError(err error) string {
	if err != nil {
		return " (" + err.Error() + ")"
	}
	return ""
}

// tail is the end of an output, in one line.
func tail(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-lastLines):], " | ")
}

// lives is how often it was started.
func (k *keeper) lives() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.starts
}
