package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/progress"
	"github.com/everynode/everynode/internal/snapshot"
)

// NewRollout is `everynode rollout`.
func NewRollout(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Follow, compare, undo and restart rollouts",
		Long: `Like kubectl rollout, for DaemonSets: history tells what changed between revisions, and undo shows first which nodes it
will touch. undo and restart are the only commands that write, and they write the DaemonSet only, and only if it is still as
it was shown.`,
	}
	cmd.AddCommand(newRolloutStatus(env), newRolloutHistory(env), newRolloutUndo(env), newRolloutRestart(env))
	return cmd
}

// one is a DaemonSet in the cluster that holds it.
func (c *Connection) one(ctx context.Context, arg string) (*snapshot.World, *fleet.Daemon, error) {
	namespace, err := c.Namespace()
	if err != nil {
		return nil, nil, err
	}
	scope, _ := DaemonName(arg, namespace)
	w, err := c.World(ctx, cluster.Scope{Namespace: scope})
	if err != nil {
		return nil, nil, err
	}
	d, err := c.Daemon(w, arg, namespace)
	return w, d, err
}

func newRolloutStatus(env Env) *cobra.Command {
	var (
		watch   bool
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "status DAEMONSET",
		Short:   "Wait for a rollout to finish, and tell on the way what it waits for",
		Example: fmt.Sprintf("  %s rollout status node-exporter -n monitoring --timeout 10m", env.Program),
		Args:    cobra.ExactArgs(1),
	}
	c := NewConnection(env, cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", true, "wait until it is finished")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time; 0 is never")
	cmd.ValidArgsFunction = c.CompleteDaemon
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, d, err := c.one(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		key := d.Key
		choose := func(d *fleet.Daemon) bool { return d.Key == key }
		if d.Object.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
			return &Error{
				What: fmt.Sprintf("DaemonSet %s has no rollout to wait for", key), Why: "its updateStrategy is OnDelete: nodes change when somebody deletes their Pods",
				Next: []string{"see which are outdated: " + env.Program + " status " + key.Name + " -n " + key.Namespace + " -o wide"},
			}
		}
		if !watch || c.Offline() {
			for _, p := range progressOf(w, choose) {
				fmt.Fprintln(env.Streams.Out, p.Sentence())
			}
			return nil
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return c.await(ctx, w, d, timeout, choose)
	}
	return cmd
}

// await follows one DaemonSet until its rollout is finished.
func (c *Connection) await(ctx context.Context, w *snapshot.World, d *fleet.Daemon, timeout time.Duration, choose func(*fleet.Daemon) bool) error {
	var last progress.Progress
	limit := &Error{What: fmt.Sprintf("the rollout of DaemonSet %s is not finished after %s", d.Key, timeout)}
	if timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, timeout, limit)
		defer stop()
	}
	told, blocker := map[string]string{}, ""
	finished, gone := false, false
	err := c.Follow(ctx, w, choose, func(list []progress.Progress) bool {
		if gone = len(list) == 0; gone {
			return true
		}
		last = list[0]
		tellLines(c.Env, list, told, false)
		if top := last.Top(); last.State == progress.Halted && top != blocker {
			blocker = top
			fmt.Fprintf(c.Streams.ErrOut, "It halts. %s\n  all of it: %s explain %s -n %s\n", why(&last), c.Program, last.Name, last.Namespace)
		}
		finished = last.State == progress.Done
		return finished
	})
	limit.Why, limit.Next = why(&last), []string{fmt.Sprintf("see why: %s explain %s -n %s", c.Program, d.Key.Name, d.Key.Namespace)}
	switch {
	case err != nil:
		return err
	case gone:
		return &Error{What: fmt.Sprintf("DaemonSet %s is gone", d.Key), Why: "it was deleted while its rollout was awaited"}
	case !finished:
		return context.Canceled // the person ended it
	}
	return nil
}

// why tells what a rollout waits for, in a line.
func why(p *progress.Progress) string {
	if len(p.Blockers) == 0 {
		return ""
	}
	b := p.Blockers[0]
	text := fleet.Reason{Code: b.Code, Detail: b.Detail}.String()
	if len(b.Nodes) > 0 {
		text = counted(len(b.Nodes), "node") + ", first " + b.Nodes[0] + ": " + text
	}
	return text
}
