package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/progress"
	"github.com/everynode/everynode/internal/snapshot"
)

// StatusVersion is the version of StatusReport's JSON form.
const StatusVersion = "everynode.dev/status.v1"

// StatusReport is what status tells.
type StatusReport struct {
	Version string              `json:"version"`
	Taken   time.Time           `json:"taken"`
	Daemons []progress.Progress `json:"daemonSets"`
}

type statusCmd struct {
	*Connection
	out   *Output
	watch bool
}

// NewStatus is `everynode status`.
func NewStatus(env Env) *cobra.Command {
	s := &statusCmd{}
	cmd := &cobra.Command{
		Use:   "status [DAEMONSET]",
		Short: "Show how far DaemonSets and their rollouts are, and what holds them up",
		Long: `A row for each DaemonSet: the numbers that kubectl shows too, how far its rollout is by steps of its budget, and what most
nodes wait for. "everynode explain" tells the whole of it.

With --watch, a terminal shows a live view with a bar for each rollout (q ends it); a pipe gets a line for each change.`,
		Example: fmt.Sprintf(`  %[1]s status -A
  %[1]s status node-exporter -n monitoring --watch
  %[1]s status -A -o json`, env.Program),
		Args: cobra.MaximumNArgs(1),
	}
	s.Connection, s.out = NewConnection(env, cmd), NewOutput(cmd, JSON, YAML, Wide)
	s.SelectFlags(cmd)
	cmd.Flags().BoolVarP(&s.watch, "watch", "w", false, "go on showing what changes")
	cmd.ValidArgsFunction = s.CompleteDaemon
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) }
	return cmd
}

func (s *statusCmd) run(ctx context.Context, args []string) error {
	if err := s.out.Check(); err != nil {
		return err
	}
	if s.watch && s.Offline() {
		return &Error{What: "--watch and --snapshot exclude each other", Why: "nothing changes in a file", Next: []string{"leave one of them out"}}
	}
	if s.watch && s.out.Data() {
		return &Error{What: "--watch has no -o " + s.out.format, Next: []string{"leave --watch out, or read the lines that it prints to a pipe"}}
	}
	w, choose, err := s.chosen(ctx, args)
	if err != nil {
		return err
	}
	if s.watch {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		return s.follow(ctx, w, choose)
	}
	list := progressOf(w, choose)
	if s.out.Data() {
		return s.out.Encode(s.Streams.Out, StatusReport{Version: StatusVersion, Taken: w.Now.UTC(), Daemons: list})
	}
	if len(list) == 0 {
		namespace, err := s.Namespace()
		if err != nil {
			return err
		}
		fmt.Fprintln(s.Streams.ErrOut, nothing(namespace, s.selector))
		return nil
	}
	return s.table(list)
}

func nothing(namespace, selector string) string {
	text := "There are no DaemonSets"
	if selector != "" {
		text += " with labels " + selector
	}
	if namespace != "" {
		return text + " in namespace " + namespace + ".\n  all namespaces: -A"
	}
	return text + "."
}

// chosen reads the cluster and gives what tells whether a DaemonSet is meant.
func (c *Connection) chosen(ctx context.Context, args []string) (*snapshot.World, func(*fleet.Daemon) bool, error) {
	namespace, err := c.Namespace()
	if err != nil {
		return nil, nil, err
	}
	selector, err := c.Selector()
	if err != nil {
		return nil, nil, err
	}
	scope := namespace
	if len(args) > 0 {
		scope, _ = DaemonName(args[0], namespace)
	}
	w, err := c.World(ctx, cluster.Scope{Namespace: scope})
	if err != nil {
		return nil, nil, err
	}
	if len(args) > 0 {
		d, err := c.Daemon(w, args[0], namespace)
		if err != nil {
			return nil, nil, err
		}
		key := d.Key
		return w, func(d *fleet.Daemon) bool { return d.Key == key }, nil
	}
	return w, func(d *fleet.Daemon) bool {
		return (namespace == "" || d.Key.Namespace == namespace) && selector.Matches(labels.Set(d.Object.Labels))
	}, nil
}

func progressOf(w *snapshot.World, choose func(*fleet.Daemon) bool) []progress.Progress {
	list := []progress.Progress{}
	for _, d := range w.Fleet.Daemons() {
		if !choose(d) {
			continue
		}
		if p, err := w.Plan(d); err != nil {
			list = append(list, progress.Undecidable(d, err))
		} else {
			list = append(list, progress.Of(p, w.Now))
		}
	}
	return list
}

func (s *statusCmd) table(list []progress.Progress) error {
	headings := []string{"NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "MISSCHEDULED", "ROLLOUT", "WAITS FOR"}
	if s.all {
		headings = append([]string{"NAMESPACE"}, headings...)
	}
	if s.out.Is(Wide) {
		headings = append(headings, "REVISION", "WHY")
	}
	var rows [][]string
	for i := range list {
		p := &list[i]
		row := []string{p.Name}
		if s.all {
			row = []string{p.Namespace, p.Name}
		}
		for _, n := range []int{p.Desired, p.Current, p.Ready, p.Updated, p.Available, p.Misplaced} {
			row = append(row, strconv.Itoa(n))
		}
		row = append(row, p.Rollout(), orDash(p.Top()))
		if s.out.Is(Wide) {
			why := ""
			if len(p.Blockers) > 0 {
				why = p.Blockers[0].Detail
			}
			row = append(row, orDash(p.Revision), orDash(why))
		}
		rows = append(rows, row)
	}
	return s.out.Table(s.Streams.Out, headings, rows)
}

// terminal tells whether the output goes to a person's screen, and how wide that is.
func terminal(env Env) bool {
	f, ok := env.Streams.Out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
