package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/explain"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

const explainLong = `Tells why a daemon runs on a node or does not: each rule with what decided it, the Pod that is there and its state,
what blocks it now, what happens next and when, and the smallest change that would turn a no into a yes.

Without NODE the nodes are grouped by reason, and --reason CODE lists those of one. Without DAEMONSET all DaemonSets
are told of in a line each.

It needs nothing but a kubeconfig, and changes nothing. It works whichever controller runs the DaemonSets; where
everynode does, what its controller knows is used as well: pauses, refusals, calls under way.`

// NewExplain is `everynode explain`.
func NewExplain(env Env) *cobra.Command {
	x := &explaining{}
	cmd := &cobra.Command{
		Use:     "explain [DAEMONSET [NODE]]",
		Aliases: []string{"why"},
		Short:   "Why is there no Pod of a daemon on a node, and what happens next?",
		Long:    explainLong,
		Example: fmt.Sprintf(`  %[1]s explain -A                                    # all DaemonSets, a line each
  %[1]s explain -n monitoring node-exporter           # its nodes by reason
  %[1]s explain -n monitoring node-exporter node-011  # one node
  %[1]s explain node-exporter --reason NoRoom         # the nodes of a reason
  %[1]s explain node-exporter -o wide                 # each node in a line
  %[1]s explain node-exporter --snapshot FILE         # from a file`, env.Program),
		Args: cobra.MaximumNArgs(2),
	}
	x.Connection = NewConnection(env, cmd)
	x.SelectFlags(cmd)
	x.LiveFlag(cmd)
	x.out = NewOutput(cmd, JSON, YAML, Wide, Name)
	cmd.Flags().StringVar(&x.reason, "reason", "", "list the nodes with this reason")
	_ = cmd.RegisterFlagCompletionFunc("reason", completeReason) // it fails for a flag that does not exist, and this one does
	cmd.ValidArgsFunction = x.CompleteDaemonThenNode
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return x.run(cmd.Context(), args) }
	return cmd
}

// explaining is one `explain`.
type explaining struct {
	*Connection
	out    *Output
	reason string
}

func completeReason(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return beginning(codes(), begun)
}

func codes() []string {
	var out []string
	for _, c := range explain.Codes() {
		out = append(out, string(c))
	}
	return out
}

func (x *explaining) run(ctx context.Context, args []string) error {
	if err := x.check(args); err != nil {
		return err
	}
	namespace, err := x.Namespace()
	if err != nil {
		return err
	}
	scope := cluster.Scope{Namespace: namespace}
	if len(args) > 0 {
		if ns, _ := DaemonName(args[0], namespace); ns != "" {
			scope.Namespace = ns
		}
	}
	s, err := x.read(ctx, scope)
	if err != nil {
		return err
	}
	x.TellMissing(s)
	if len(args) == 0 {
		return x.summary(ctx, s, namespace)
	}
	w, err := s.World(s.Taken)
	if err != nil {
		return err
	}
	d, err := x.Daemon(w, args[0], namespace)
	if err != nil {
		return err
	}
	node := ""
	if len(args) == 2 {
		if node, err = x.NodeName(w, d, args[1]); err != nil {
			return err
		}
	}
	if w, err = x.alive(ctx, w, d); err != nil {
		return err
	}
	book, err := explain.Open(w, w.Fleet.Daemon(d.Key))
	if err != nil {
		return &Error{What: "nothing can be decided for DaemonSet " + d.Key.String(), Why: err.Error(), Next: []string{"its controller says so in an event as well: kubectl -n " + d.Key.Namespace + " describe daemonset " + d.Key.Name}, Cause: err}
	}
	if node != "" {
		return x.printNode(book.Node(node))
	}
	return x.printDaemonSet(book)
}

// check looks at the command line alone.
func (x *explaining) check(args []string) error {
	if err := x.out.Check(); err != nil {
		return err
	}
	if x.all && len(args) > 0 {
		return &Error{What: "-A is for all DaemonSets, and one is named", Next: []string{"leave -A out, or the name"}}
	}
	if x.selector != "" && len(args) > 0 {
		return &Error{What: "-l chooses DaemonSets, and one is named", Next: []string{"leave -l out, or the name"}}
	}
	if x.reason == "" {
		return nil
	}
	if len(args) != 1 {
		return &Error{What: "--reason lists the nodes of one DaemonSet", Next: []string{"for instance: " + x.Program + " explain DAEMONSET --reason " + x.reason}}
	}
	all := codes()
	if i := slices.IndexFunc(all, func(c string) bool { return strings.EqualFold(c, x.reason) }); i >= 0 {
		x.reason = all[i]
		return nil
	}
	e := &Error{What: fmt.Sprintf("--reason=%s is unknown", x.reason)}
	if near := Nearest(x.reason, all); len(near) > 0 {
		e.Next = append(e.Next, "did you mean: "+strings.Join(near, ", "))
	}
	e.Next = append(e.Next, "there are: "+strings.Join(all, ", "))
	return e
}

// alive gives the world again with what the controller knows, where everynode's runs.
func (x *explaining) alive(ctx context.Context, w *snapshot.World, d *fleet.Daemon) (*snapshot.World, error) {
	if x.controller == "" && w.Runner(d).By == snapshot.BuiltIn {
		return w, nil
	}
	if err := x.AddLive(ctx, w.Snapshot, d.Key); err != nil {
		return nil, err
	}
	if len(w.Snapshot.Live) == 0 || x.Offline() {
		return w, nil
	}
	return w.World(w.Now)
}

func (x *explaining) printNode(n explain.Node) error {
	switch {
	case x.out.Data():
		return x.out.Encode(x.Streams.Out, n)
	case x.out.Is(Name):
		_, err := fmt.Fprintln(x.Streams.Out, "node/"+n.Node)
		return err
	}
	return explain.WriteNode(x.Streams.Out, &n, x.Program, NewPaint(x.Streams.Out))
}

func (x *explaining) printDaemonSet(book *explain.Book) error {
	d := book.DaemonSet()
	if x.reason != "" {
		d = book.With(fleet.Code(x.reason))
	}
	switch {
	case x.out.Data():
		return x.out.Encode(x.Streams.Out, d)
	case x.out.Is(Name):
		for _, l := range book.Lines(fleet.Code(x.reason)) {
			if _, err := fmt.Fprintln(x.Streams.Out, "node/"+l.Node); err != nil {
				return err
			}
		}
		return nil
	}
	if x.reason != "" && len(d.Lines) == 0 {
		fmt.Fprintf(x.Streams.ErrOut, "No node has reason %s.\n", x.reason)
		return nil
	}
	if x.out.Is(Wide) {
		var rows [][]string
		for _, l := range book.Lines(fleet.Code(x.reason)) {
			rows = append(rows, explain.LineRow(&l, d.Taken))
		}
		return x.out.Table(x.Streams.Out, explain.LineHeadings, rows)
	}
	return explain.WriteDaemonSet(x.Streams.Out, &d, x.Program, NewPaint(x.Streams.Out))
}

// summary tells of several DaemonSets in a line each.
func (x *explaining) summary(ctx context.Context, s *snapshot.Snapshot, namespace string) error {
	selector, err := x.Selector()
	if err != nil {
		return err
	}
	var keys []types.NamespacedName
	for _, ds := range s.DaemonSets {
		key := types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}
		if (namespace == "" || ds.Namespace == namespace) && selector.Matches(labelsOf(ds.Labels)) {
			keys = append(keys, key)
		}
	}
	if err := x.AddLive(ctx, s, keys...); err != nil {
		return err
	}
	w, err := s.World(s.Taken)
	if err != nil {
		return err
	}
	sets := []explain.DaemonSet{}
	for _, key := range keys {
		book, err := explain.Open(w, w.Fleet.Daemon(key))
		if err != nil {
			fmt.Fprintf(x.Streams.ErrOut, "note: nothing can be decided for DaemonSet %s: %v\n", key, err)
			continue
		}
		sets = append(sets, book.DaemonSet())
	}
	return x.printSummary(sets)
}

func (x *explaining) printSummary(sets []explain.DaemonSet) error {
	if x.out.Data() {
		return x.out.Encode(x.Streams.Out, explain.Summary{Version: explain.Version, DaemonSets: sets})
	}
	if x.out.Is(Name) {
		for i := range sets {
			if _, err := fmt.Fprintln(x.Streams.Out, "daemonset.apps/"+sets[i].Name); err != nil {
				return err
			}
		}
		return nil
	}
	if len(sets) == 0 {
		fmt.Fprintln(x.Streams.ErrOut, "There are no DaemonSets here.\n  in all namespaces: "+x.Program+" explain -A")
		return nil
	}
	rows := make([][]string, len(sets))
	for i := range sets {
		rows[i] = explain.SummaryRow(&sets[i])
	}
	return x.out.Table(x.Streams.Out, explain.SummaryHeadings, rows)
}
