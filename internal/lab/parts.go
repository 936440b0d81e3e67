package lab

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// parts are the components that run, in stages; stages stop in reverse order, so that a client never outlives its
// server for longer than it takes to notice.
type parts struct {
	die    context.CancelCauseFunc
	stages []*stage
}

// stage is a set of components that start and stop together.
type stage struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	die    context.CancelCauseFunc
}

func newParts(die context.CancelCauseFunc) *parts { return &parts{die: die} }

// stage opens the next stage. Its context does not descend from the user's: stages must end one after the other.
func (p *parts) stage() *stage {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stage{ctx: ctx, cancel: cancel, die: p.die}
	p.stages = append(p.stages, s)
	return s
}

// run starts a component. One that ends before it is told to takes the whole lab down, with its reason.
func (s *stage) run(name string, f func(context.Context) error) {
	s.wg.Go(func() {
		err := f(s.ctx)
		if s.ctx.Err() != nil {
			return // it was told to end; what it says then is of no use to anyone
		}
		why := "it returned without an error"
		if err != nil {
			why = err.Error()
		}
		s.die(diedError(name, why, err))
	})
}

func diedError(name, why string, err error) *Error {
	return &Error{
		Code:  CodeDied,
		What:  name + " stopped by itself",
		Why:   why,
		Means: "the other parts were stopped too; a data directory keeps its content",
		Next:  []Fix{{"start again", "everynode up -v   (shows the logs of all parts)"}},
		Err:   err,
	}
}

// surviveFatal turns klog.Fatal, which upstream's components call for what they cannot handle (a start hook that
// fails because it was cancelled is enough), into an orderly stop: exiting would leave the temporary directory.
func surviveFatal(die context.CancelCauseFunc) {
	klog.OsExit = func(code int) {
		die(diedError("a part of Kubernetes", fmt.Sprintf("it wanted to end the process with code %d; its log says why", code), nil))
		select {} // the caller counts on never coming back
	}
}

// stop ends all stages, last one first, and tells whether all of them ended. A component that hangs (one that was
// still starting cannot always be interrupted) is left behind: the process is about to exit.
func (p *parts) stop(limit time.Duration) (all bool) {
	deadline := time.Now().Add(limit)
	all = true
	for i := len(p.stages) - 1; i >= 0; i-- {
		s := p.stages[i]
		s.cancel()
		done := make(chan struct{})
		go func() { s.wg.Wait(); close(done) }()
		// Each stage may use half of what is left, so that the last one, the store, always gets its turn.
		share := time.Until(deadline)
		if i > 0 {
			share /= 2
		}
		select {
		case <-done:
		case <-time.After(share):
			all = false
		}
	}
	return all
}
