package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/everynode/everynode/test/bench/cluster"
	"github.com/everynode/everynode/test/bench/proc"
	"github.com/everynode/everynode/test/bench/tally"
	"github.com/everynode/everynode/test/harness"
)

// measure plays everything that the options ask for, and saves what there is after each contender: a long run that is
// stopped has measured something all the same.
func measure(ctx context.Context, o options, save func(tally.Run) error) error {
	run := tally.Run{
		Started: now(), Version: version, Machine: machine(),
		Settings: tally.Settings{Rounds: o.rounds, QPS: o.qps, Burst: o.burst},
	}
	for _, s := range o.sizes {
		for round := 1; round <= o.rounds; round++ {
			order := slices.Clone(o.contenders)
			if round%2 == 0 { // so that drift of the machine cancels out
				slices.Reverse(order)
			}
			for _, c := range order {
				g := &game{options: o, size: s, round: round, contender: c, nodes: s.nodes}
				err := g.playAll(ctx)
				run.Samples = append(run.Samples, g.samples...)
				if saving := save(run); saving != nil {
					return saving
				}
				if ctx.Err() != nil {
					return fmt.Errorf("stopped: %w", ctx.Err())
				}
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s, c.name, err)
				}
			}
		}
	}
	return nil
}

// game is one contender on one cluster.
type game struct {
	options   options
	size      size
	round     int
	contender contender

	cluster *cluster.Cluster
	process *harness.Process // nil while the contender does not run
	binder  *cluster.Binder
	starts  int

	nodes    int               // how many there are
	versions map[string]string // of each DaemonSet
	last     int               // number of the last version
	claim    *cluster.Claim    // what the statuses have to say at rest; nil while there is no DaemonSet
	samples  []tally.Sample
}

// playAll plays all phases. A phase that fails ends the game but is no error: it is a result.
func (g *game) playAll(ctx context.Context) (err error) {
	g.say("starting a control plane with %d nodes", g.nodes)
	g.versions = map[string]string{}
	if g.cluster, err = cluster.Start(ctx, g.options.bin+"/everynode", g.nodes); err != nil {
		return err
	}
	defer func() {
		if g.binder != nil {
			err = errors.Join(err, g.binder.Stop())
		}
		err = errors.Join(err, g.end(), g.cluster.Stop())
	}()
	for _, p := range allPhases {
		wanted := slices.ContainsFunc(g.options.phases, func(q phase) bool { return p.name == q.name })
		if !g.contender.plays(p) || (!wanted && !p.ground) {
			continue
		}
		sample, err := g.play(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			sample.Failed = err.Error()
		}
		if wanted || err != nil {
			g.samples = append(g.samples, sample)
		}
		if err != nil {
			g.say("%-10s failed: %v", p.name, err)
			return nil
		}
		g.say("%-10s wall %6.2fs  CPU %6.2fs  API server CPU %6.1fs  calls %5d  peak %4.0f MiB", p.name, sample.Wall, sample.CPU, sample.ServerCPU, sample.Requests(), sample.Peak)
	}
	return nil
}

// limit is how long a phase may take, preparations included.
func (g *game) limit() time.Duration {
	return 5*time.Minute + time.Duration(g.nodes*g.size.daemons)*60*time.Millisecond
}

// play measures one phase.
func (g *game) play(parent context.Context, p phase) (tally.Sample, error) {
	sample := tally.Sample{Size: g.size.String(), Contender: g.contender.name, Round: g.round, Phase: p.name}
	ctx, cancel := context.WithTimeout(parent, g.limit())
	defer cancel()
	if p.prepare != nil {
		if err := p.prepare(ctx, g); err != nil {
			return sample, fmt.Errorf("in preparation: %w", err)
		}
	}
	if g.options.profile != "" && g.process != nil && strings.HasPrefix(g.contender.name, "everynode") { // a file for each phase
		if err := g.process.Signal(syscall.SIGHUP); err != nil {
			return sample, err
		}
	}
	before, err := g.read()
	if err != nil {
		return sample, err
	}
	lost := g.cluster.Mirror.NodesLost()
	span := &span{begin: time.Now()}
	if err := p.play(ctx, g, span); err != nil {
		return sample, err
	}
	quiet, err := g.rest(ctx)
	if err != nil {
		return sample, err
	}
	if span.end.IsZero() {
		span.end = quiet
	}
	after, err := g.read()
	if err != nil {
		return sample, err
	}
	sample.Wall = max(0, span.end.Sub(span.begin).Seconds())
	sample.CPU = (after.cpu - before.cpu).Seconds()
	sample.ServerCPU = (after.serverCPU - before.serverCPU).Seconds()
	sample.Peak, sample.Settled, sample.ServerPeak = mib(after.memory.Peak), mib(after.memory.Now), mib(after.server.Peak)
	sample.Calls = after.calls
	if n := g.cluster.Mirror.NodesLost() - lost; n > 0 {
		sample.Notes = append(sample.Notes, fmt.Sprintf("%d times a node was not Ready, as the machine had no time for its kubelet", n))
	}
	if span.note != "" {
		sample.Notes = append(sample.Notes, span.note)
	}
	if len(g.versions) == 0 {
		return sample, nil
	}
	return sample, g.cluster.Verify(ctx, g.versions)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// reading is what has been used so far.
type reading struct {
	cpu, serverCPU time.Duration
	memory, server proc.Memory
	calls          map[string]int // since the last reading
}

// read reads all meters, and lets the peaks begin anew. A contender that does not run has used nothing.
func (g *game) read() (r reading, err error) {
	if r.serverCPU, err = proc.CPU(g.cluster.PID); err != nil {
		return r, err
	}
	if r.server, err = proc.ReadMemory(g.cluster.PID); err != nil {
		return r, err
	}
	if r.calls, err = g.cluster.Audit.Calls(); err != nil {
		return r, err
	}
	if err := proc.ResetPeak(g.cluster.PID); err != nil || g.process == nil {
		return r, err
	}
	if r.cpu, err = proc.CPU(g.process.PID()); err != nil {
		return r, err
	}
	if r.memory, err = proc.ReadMemory(g.process.PID()); err != nil {
		return r, err
	}
	return r, proc.ResetPeak(g.process.PID())
}

const (
	restLook   = 100 * time.Millisecond
	restWindow = 10 // looks
	restCPU    = 20 * time.Millisecond
	truthLook  = 20 * time.Millisecond
)

// rest waits until the contender has used next to no CPU for a second, while all statuses were true. It gives the time
// from which on that was so.
func (g *game) rest(ctx context.Context) (time.Time, error) {
	type look struct {
		at  time.Time
		cpu time.Duration
	}
	var looks []look
	var untrue error
	for {
		cpu, err := proc.CPU(g.process.PID())
		if err != nil {
			return time.Time{}, err
		}
		looks = append(looks, look{time.Now(), cpu})
		if len(looks) > restWindow {
			looks = looks[len(looks)-restWindow-1:]
			if looks[restWindow].cpu-looks[0].cpu <= restCPU {
				if untrue = g.check(ctx); untrue == nil {
					return looks[0].at, nil
				}
			}
		}
		if err := g.alive(); err != nil {
			return time.Time{}, err
		}
		select {
		case <-ctx.Done():
			return time.Time{}, errors.Join(fmt.Errorf("%s did not come to rest: %w", g.contender.name, ctx.Err()), untrue)
		case <-time.After(restLook):
		}
	}
}

// truth waits until all statuses say so, and tells since when.
func (g *game) truth(ctx context.Context, claim cluster.Claim) (time.Time, error) {
	for {
		err := g.cluster.Check(ctx, claim)
		if err == nil {
			return time.Now(), nil
		}
		if dead := g.alive(); dead != nil {
			return time.Time{}, dead
		}
		select {
		case <-ctx.Done():
			return time.Time{}, err
		case <-time.After(truthLook):
		}
	}
}

func (g *game) check(ctx context.Context) error {
	if g.claim == nil {
		return nil
	}
	return g.cluster.Check(ctx, *g.claim)
}

// say tells of progress.
func (g *game) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %-7s round %d/%d  %-19s  %s\n", time.Now().Format("15:04:05"), g.size, g.round, g.options.rounds, g.contender.name, fmt.Sprintf(format, args...))
}
