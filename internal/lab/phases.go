package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	nameWidth = 21
	// showElapsedAfter is how long a phase may take before a terminal shows its time running.
	showElapsedAfter = time.Second
)

// phases tells people what happens: one line for each part that came up, with the time it took.
type phases struct {
	out   io.Writer
	live  bool // a terminal: the running phase may be redrawn
	color bool
	begun time.Time

	mu sync.Mutex // a running phase is redrawn from its own goroutine
}

func newPhases(out io.Writer) *phases {
	p := &phases{out: out, begun: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.live = os.Getenv("TERM") != "dumb"
		p.color = p.live && os.Getenv("NO_COLOR") == ""
	}
	return p
}

func (p *phases) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Talk is lost when nobody listens any more; the lab must not stop for that.
	_, _ = fmt.Fprintf(p.out, format, args...)
}

// run does f as a phase. f returns what to say about it.
func (p *phases) run(name string, f func() (string, error)) error {
	start := time.Now()
	stop := p.watch(name, start)
	detail, err := f()
	stop()
	mark, green, plain := "✓", "\x1b[32m", "\x1b[0m"
	if err != nil {
		mark, green = "✗", "\x1b[31m"
	}
	if !p.color {
		green, plain = "", ""
	}
	if errors.Is(err, context.Canceled) {
		return err // stopped on purpose: not a failure of this part
	}
	if err != nil {
		p.printf("  %s%s%s %s\n\n", green, mark, plain, name)
		return err
	}
	p.printf("  %s%s%s %-*s %5.1fs   %s\n", green, mark, plain, nameWidth, name, time.Since(start).Seconds(), detail)
	return nil
}

// watch shows a slow phase's time while it runs. The function it returns ends that and clears the line.
func (p *phases) watch(name string, start time.Time) (stop func()) {
	if !p.live {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		shown := false
		for {
			select {
			case <-done:
				if shown {
					p.printf("\r\x1b[K")
				}
				return
			case <-tick.C:
				if d := time.Since(start); d >= showElapsedAfter {
					p.printf("\r  · %-*s %5.1fs", nameWidth, name, d.Seconds())
					shown = true
				}
			}
		}
	}()
	return func() { close(done); <-gone }
}
