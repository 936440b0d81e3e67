package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/everynode/everynode/test/bench/cluster"
	"github.com/everynode/everynode/test/bench/tally"
)

// phase is one thing that happens to a cluster.
type phase struct {
	name string
	// ground phases are played, if not told of, because the others stand on them.
	ground bool
	// prepare, if set, comes before the meters are read.
	prepare func(ctx context.Context, g *game) error
	// play makes it happen and waits until the API server shows its end.
	play func(ctx context.Context, g *game, s *span) error
}

// span is a phase's wall time. An end that is zero stands for the moment when the contender comes to rest.
type span struct {
	begin, end time.Time
	note       string
}

// allPhases in the order in which they are played.
var allPhases = []phase{
	{name: "idle", ground: true, play: idle},
	{name: "first", ground: true, prepare: noCanary, play: first},
	{name: "rolling", play: func(ctx context.Context, g *game, s *span) error { return roll(ctx, g, s, false) }},
	{name: "surge", play: func(ctx context.Context, g *game, s *span) error { return roll(ctx, g, s, true) }},
	{name: "flips", play: flips},
	{name: "labels", play: labels},
	{name: "heartbeats", play: heartbeats},
	{name: "taints", play: taints},
	{name: "loss", play: loss},
	{name: "join", prepare: another, play: join},
	{name: "restart", prepare: headless, play: restart},
}

func phaseNames() []string {
	var names []string
	for _, p := range allPhases {
		names = append(names, p.name)
	}
	return names
}

// choosePhases reads -phases; they are played in their own order.
func choosePhases(list string) ([]phase, error) {
	if list == "all" {
		return allPhases, nil
	}
	return each(list, func(name string) (phase, error) {
		i := slices.IndexFunc(allPhases, func(p phase) bool { return p.name == name })
		if i < 0 {
			return phase{}, fmt.Errorf("phase %q: use all, or some of %s", name, strings.Join(phaseNames(), ","))
		}
		return allPhases[i], nil
	})
}

// canary is a DaemonSet for no node. Whoever has seen it works.
const canary = "canary"

// idle starts the contender where there is nothing to do but to see that.
func idle(ctx context.Context, g *game, s *span) (err error) {
	if err := g.cluster.Create(ctx, canary, map[string]string{"bench.everynode.dev/none": "here"}); err != nil {
		return err
	}
	g.claim = &cluster.Claim{}
	if err := g.start(ctx); err != nil {
		return err
	}
	s.end, err = g.truth(ctx, *g.claim)
	return err
}

// noCanary removes what idle has left.
func noCanary(ctx context.Context, g *game) error {
	if g.process == nil { // the floor has none
		return nil
	}
	g.claim = nil
	if err := g.cluster.Remove(ctx, canary); err != nil {
		return err
	}
	_, err := g.rest(ctx)
	return err
}

// first brings the first Pods onto all nodes.
func first(ctx context.Context, g *game, s *span) error {
	g.last = 1
	if g.contender.name == tally.Floor {
		if err := g.start(ctx); err != nil {
			return err
		}
	} else {
		g.claim = g.all()
		for _, name := range g.daemons() {
			if err := g.cluster.Create(ctx, name, nil); err != nil {
				return err
			}
		}
	}
	for _, name := range g.daemons() {
		g.versions[name] = cluster.Version(g.last)
	}
	return g.converged(ctx, s)
}

// all is what statuses say when each node has its Pod.
func (g *game) all() *cluster.Claim { return &cluster.Claim{Desired: g.nodes, Ready: g.nodes} }

// converged waits until each DaemonSet has as many Pods as there are nodes, all Ready and of its version.
func (g *game) converged(ctx context.Context, s *span) error {
	at, err := g.wait(ctx, g.whole)
	s.end = at
	return err
}

// whole is what converged waits for.
func (g *game) whole(v cluster.View) bool {
	for name, version := range g.versions {
		if d := v.Daemon(name); d.Pods != g.nodes || d.ReadyOf[version] != g.nodes {
			return false
		}
	}
	return true
}

// wait is Mirror.Wait that ends when somebody has died meanwhile.
func (g *game) wait(ctx context.Context, when func(cluster.View) bool) (time.Time, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for ctx.Err() == nil {
			if err := g.alive(); err != nil {
				cancel(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	at, err := g.cluster.Mirror.Wait(ctx, when)
	if err != nil && !errors.Is(context.Cause(ctx), ctx.Err()) {
		return at, context.Cause(ctx)
	}
	return at, err
}

// roll gives all DaemonSets a new template.
func roll(ctx context.Context, g *game, s *span, surge bool) error {
	if err := g.update(ctx, g.names(), surge); err != nil {
		return err
	}
	return g.converged(ctx, s)
}

// update gives these DaemonSets the next version.
func (g *game) update(ctx context.Context, names []string, surge bool) error {
	g.last++
	for _, name := range names {
		g.versions[name] = cluster.Version(g.last)
	}
	if g.contender.name == tally.Floor { // it knows of no DaemonSet, and counts versions itself
		return g.process.Signal(syscall.SIGHUP)
	}
	for _, name := range names {
		if err := g.cluster.Update(ctx, name, g.versions[name], cluster.Rolling(surge)); err != nil {
			return err
		}
	}
	return nil
}

// names are those of the DaemonSets that exist, sorted.
func (g *game) names() []string {
	names := g.daemons()
	if _, there := g.versions[extra]; there {
		names = append(names, extra)
	}
	return names
}
