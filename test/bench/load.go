package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/test/bench/cluster"
)

const (
	// changes is how many there are of the phases that tell a contender small things.
	changes = 1000
	// pace is how many of them there are in a second; they come from all over a fleet.
	pace = 200
	// hands is how many requests the benchmark makes at a time.
	hands = 16
)

// load makes n requests, perSecond or as fast as they go.
func load(ctx context.Context, n, perSecond int, request func(ctx context.Context, i int) error) error {
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(hands)
	begun := time.Now()
	for i := range n {
		if perSecond > 0 {
			select {
			case <-going.Done():
			case <-time.After(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(perSecond)))):
			}
		}
		if going.Err() != nil {
			break
		}
		group.Go(func() error { return request(going, i) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("the benchmark's own requests: %w", err)
	}
	return ctx.Err()
}

// pods are the names of all Pods of these DaemonSets.
func (g *game) pods(ctx context.Context, daemons ...string) ([]string, error) {
	var names []string
	for _, daemon := range daemons {
		list, err := g.cluster.Client.CoreV1().Pods(cluster.Namespace).List(ctx, metav1.ListOptions{LabelSelector: cluster.DaemonLabel + "=" + daemon})
		if err != nil {
			return nil, fmt.Errorf("list Pods of %s: %w", daemon, err)
		}
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
	}
	return names, nil
}

// sum adds something up over all DaemonSets.
func (g *game) sum(of func(cluster.Daemon) int) int {
	n := 0
	for _, name := range g.names() {
		n += of(g.cluster.Mirror.Look(name))
	}
	return n
}

func made(d cluster.Daemon) int  { return d.Made }
func flown(d cluster.Daemon) int { return d.Flips }

// more is a condition: something has grown to so much, summed up over all DaemonSets, and all Pods are there and Ready.
func (g *game) more(of func(cluster.Daemon) int, want int) func(cluster.View) bool {
	names := g.names()
	return func(v cluster.View) bool {
		n := 0
		for _, name := range names {
			n += of(v.Daemon(name))
		}
		return n >= want && g.whole(v)
	}
}

// In the phases that only tell news the wall time is that from the last of them until the contender has come to rest.

// flips lets Pods turn unready; their kubelets see that they serve, and make them Ready again.
func flips(ctx context.Context, g *game, s *span) error {
	names, err := g.pods(ctx, g.names()...)
	if err != nil {
		return err
	}
	n := min(changes, len(names))
	want := g.sum(flown) + n
	err = load(ctx, n, pace, func(ctx context.Context, i int) error {
		// Spread over the fleet and the DaemonSets.
		name := names[i*len(names)/n]
		patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":"False","reason":"ProbeFailed","lastTransitionTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339))
		_, err := g.cluster.Client.CoreV1().Pods(cluster.Namespace).Patch(ctx, name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		return err
	})
	if err != nil {
		return err
	}
	s.begin = time.Now()
	_, err = g.wait(ctx, g.more(flown, want))
	return err
}

// patchNodes patches n nodes in turn; a change of status goes to that subresource.
func (g *game) patchNodes(ctx context.Context, n, perSecond int, sub string, kind types.PatchType, patch func(i int) string) error {
	nodes := g.cluster.Mirror.NodeNames()
	var subs []string
	if sub != "" {
		subs = []string{sub}
	}
	return load(ctx, n, perSecond, func(ctx context.Context, i int) error {
		_, err := g.cluster.Client.CoreV1().Nodes().Patch(ctx, nodes[i%len(nodes)], kind, []byte(patch(i)), metav1.PatchOptions{}, subs...)
		return err
	})
}

// labels changes a label of nodes that no DaemonSet asks for.
func labels(ctx context.Context, g *game, s *span) error {
	defer func() { s.begin = time.Now() }()
	return g.patchNodes(ctx, changes, pace, "", types.StrategicMergePatchType, func(i int) string {
		return fmt.Sprintf(`{"metadata":{"labels":{"bench.everynode.dev/irrelevant":"%d"}}}`, i)
	})
}

// heartbeats posts each node's status once, and a thousand at least, as kubelets do when nothing has changed.
func heartbeats(ctx context.Context, g *game, s *span) error {
	defer func() { s.begin = time.Now() }()
	return g.patchNodes(ctx, max(changes, g.nodes), pace, "status", types.StrategicMergePatchType, func(int) string {
		return fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","lastHeartbeatTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339))
	})
}

// taints puts a taint onto every node that keeps new Pods away, lets the contender come to rest, and takes it off again.
// No Pod has to change, so the middle has no end that the API server would have to show; a status that is wrong there is
// noted.
func taints(ctx context.Context, g *game, s *span) error {
	patch := func(text string) error {
		return g.patchNodes(ctx, g.nodes, 0, "", types.MergePatchType, func(int) string { return text })
	}
	if err := patch(`{"spec":{"taints":[{"key":"bench.everynode.dev/storm","effect":"NoSchedule"}]}}`); err != nil {
		return err
	}
	claim := g.claim
	g.claim = nil
	_, err := g.rest(ctx)
	g.claim = claim
	if err != nil {
		return err
	}
	if err := g.cluster.Check(ctx, cluster.Claim{Misscheduled: g.nodes}); err != nil {
		s.note = fmt.Sprintf("at rest with all nodes tainted, a status is wrong: %v", err)
	}
	defer func() { s.begin = time.Now() }()
	return patch(`{"spec":{"taints":null}}`)
}

// remove deletes Pods at once, without grace: their machines are gone for all that one knows.
func (g *game) remove(ctx context.Context, names []string) error {
	none := int64(0)
	return load(ctx, len(names), 0, func(ctx context.Context, i int) error {
		return g.cluster.Client.CoreV1().Pods(cluster.Namespace).Delete(ctx, names[i], metav1.DeleteOptions{GracePeriodSeconds: &none})
	})
}

// loss takes all Pods away.
func loss(ctx context.Context, g *game, s *span) error {
	names, err := g.pods(ctx, g.names()...)
	if err != nil {
		return err
	}
	want := g.sum(made) + len(names)
	s.begin = time.Now()
	if err := g.remove(ctx, names); err != nil {
		return err
	}
	s.end, err = g.wait(ctx, g.more(made, want))
	return err
}
