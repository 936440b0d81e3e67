package main

import (
	"context"
	"slices"
	"time"

	"github.com/everynode/everynode/test/bench/cluster"
)

// extra is a DaemonSet for the phase that needs two, where the size has one.
const extra = "daemon-xx"

// another makes sure that there are two DaemonSets.
func another(ctx context.Context, g *game) error {
	if g.size.daemons > 1 {
		return nil
	}
	if err := g.cluster.Create(ctx, extra, nil); err != nil {
		return err
	}
	g.versions[extra] = cluster.Version(1)
	if _, err := g.wait(ctx, g.whole); err != nil {
		return err
	}
	_, err := g.rest(ctx)
	return err
}

// join lets nodes come, one for twenty that are there, while half of the DaemonSets roll. The wall time is that from the
// first new node to the last one that has a Ready Pod of every DaemonSet of the other half; the rest is for the rollouts to
// end in.
func join(ctx context.Context, g *game, s *span) error {
	names := g.names()
	still, rolling := names[:len(names)/2], names[len(names)/2:]
	if err := g.update(ctx, rolling, false); err != nil {
		return err
	}
	before := g.cluster.Mirror.NodeNames()
	n := max(1, g.nodes/20)
	g.nodes += n
	g.claim = g.all()
	s.begin = time.Now()
	if err := g.cluster.Join(ctx, n); err != nil {
		return err
	}
	if _, err := g.wait(ctx, func(v cluster.View) bool { return v.ReadyNodes() == g.nodes }); err != nil {
		return err
	}
	added := slices.DeleteFunc(g.cluster.Mirror.NodeNames(), func(name string) bool {
		_, old := slices.BinarySearch(before, name)
		return old
	})
	at, err := g.wait(ctx, func(v cluster.View) bool {
		for _, name := range still {
			d := v.Daemon(name)
			for _, node := range added {
				if d.NodesReady[node] == 0 {
					return false
				}
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	s.end = at
	_, err = g.wait(ctx, g.whole)
	return err
}

// gone is how many Pods are lost while nobody looks.
const gone = 10

// headless ends the contender and takes a few Pods away.
func headless(ctx context.Context, g *game) error {
	if err := g.end(); err != nil {
		return err
	}
	name := g.names()[0]
	pods, err := g.pods(ctx, name)
	if err != nil {
		return err
	}
	pods = pods[:min(gone, len(pods))]
	if err := g.remove(ctx, pods); err != nil {
		return err
	}
	left := g.nodes - len(pods)
	_, err = g.cluster.Mirror.Wait(ctx, func(v cluster.View) bool { return v.Daemon(name).Pods == left })
	return err
}

// restart starts the contender where all else runs. The wall time is that until it makes the first Pod that is missing.
func restart(ctx context.Context, g *game, s *span) error {
	name := g.names()[0]
	want := g.cluster.Mirror.Look(name).Made + 1
	s.begin = time.Now()
	if err := g.start(ctx); err != nil {
		return err
	}
	at, err := g.wait(ctx, func(v cluster.View) bool { return v.Daemon(name).Made >= want })
	if err != nil {
		return err
	}
	s.end = at
	_, err = g.wait(ctx, g.whole)
	return err
}
