package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/bench/cluster"
)

// window is how many Pods of a DaemonSet are away at a time, as a share of its nodes: maxUnavailable of the other contenders.
const window = 10

// roll replaces all Pods, node after node, as soon as another of the same DaemonSet serves again.
func (f *floor) roll(ctx context.Context, version string) error {
	all, ctx := errgroup.WithContext(ctx)
	for i := range f.daemons {
		all.Go(func() error {
			nodes, ctx := errgroup.WithContext(ctx)
			nodes.SetLimit(max(1, len(f.nodes)/window))
			for _, node := range f.nodes {
				nodes.Go(func() error { return f.replace(ctx, cluster.DaemonName(i), node, version) })
			}
			return nodes.Wait()
		})
	}
	return all.Wait()
}

// replace deletes a Pod, waits until it is gone, and makes the next one, until that is Ready.
func (f *floor) replace(ctx context.Context, daemon, node, version string) error {
	name := podName(daemon, node)
	gone := f.board.await(f.board.gone, name)
	err := f.call(ctx, func() error {
		return f.client.CoreV1().Pods(cluster.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
	})
	if err != nil {
		return fmt.Errorf("delete Pod %s: %w", name, err)
	}
	if err := wait(ctx, gone); err != nil {
		return err
	}
	ready := f.board.await(f.board.ready, name)
	if err := f.create(ctx, daemon, node, version); err != nil {
		return err
	}
	return wait(ctx, ready)
}

func wait(ctx context.Context, told <-chan struct{}) error {
	select {
	case <-told:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
