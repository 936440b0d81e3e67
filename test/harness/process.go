package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is one command that runs beside the test.
type Process struct {
	cmd    *exec.Cmd
	output *lockedBuffer
	exited chan struct{}
	err    error // of Wait; read after exited is closed
}

// Launch starts a command with more environment than the test's own. It lives in a thread of its own, which ends with it: a
// test that is killed or times out takes its processes with it, because Linux signals the children of a thread that ends.
func Launch(path string, env []string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(path, args...), output: &lockedBuffer{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return p, nil
}

// Signal sends a signal; to a process that has ended it does nothing.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Stop sends the signal and waits for the end. It gives how long that took. Stopping twice does no harm.
func (p *Process) Stop(sig syscall.Signal) (time.Duration, error) {
	begun := time.Now()
	select {
	case <-p.exited:
		return 0, nil
	default:
	}
	if err := p.Signal(sig); err != nil {
		return 0, err
	}
	select {
	case <-p.exited:
		return time.Since(begun), nil
	case <-time.After(stopLimit):
		if err := p.cmd.Process.Kill(); err != nil {
			return 0, err
		}
		<-p.exited
		return 0, fmt.Errorf("it did not stop within %s after %s and was killed", stopLimit, sig)
	}
}

// Wait gives the exit code of a process that ends by itself.
func (p *Process) Wait(limit time.Duration) (int, error) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		return 0, fmt.Errorf("it still runs after %s", limit)
	}
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// PID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is all it printed so far.
func (p *Process) Output() string { return p.output.String() }

// lockedBuffer takes the process's output while the test may read it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
