package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/internal/snapshot"
)

type undoCmd struct {
	*Connection
	to          int64
	yes, dryRun bool
	full        bool
}

func newRolloutUndo(env Env) *cobra.Command {
	u := &undoCmd{}
	cmd := &cobra.Command{
		Use:   "undo DAEMONSET",
		Short: "Go back to an earlier revision, after showing which nodes that touches",
		Long: `Shows what going back would do, as plan does, and asks. Then the DaemonSet gets the template of that revision: nothing else
of it is changed, and nothing at all if somebody changed it meanwhile.`,
		Example: fmt.Sprintf(`  %[1]s rollout undo node-exporter -n monitoring
  %[1]s rollout undo node-exporter -n monitoring --to-revision 3 --yes`, env.Program),
		Args: cobra.ExactArgs(1),
	}
	u.Connection = NewConnection(env, cmd)
	cmd.Flags().Int64Var(&u.to, "to-revision", 0, "the revision to go back to (default: the one before the current)")
	cmd.Flags().BoolVarP(&u.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&u.dryRun, "dry-run", false, "only show what it would do")
	cmd.Flags().BoolVar(&u.full, "full", false, "list all nodes and all steps")
	cmd.ValidArgsFunction = u.CompleteDaemon
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return u.run(cmd.Context(), args[0]) }
	return cmd
}

func (u *undoCmd) run(ctx context.Context, arg string) error {
	if u.Offline() && !u.dryRun {
		return offline("undo")
	}
	w, d, err := u.one(ctx, arg)
	if err != nil {
		return err
	}
	list, err := history(w, d)
	if err != nil {
		return err
	}
	target, err := u.target(d, list)
	if err != nil {
		return err
	}
	live, key := d.Object, d.Key
	ds, err := preview.Undone(live, target.object, w.Now)
	if err != nil {
		return &Error{What: fmt.Sprintf("DaemonSet %s cannot go back to revision %d", key, target.Number), Why: err.Error(), Cause: err}
	}
	if !preview.TemplateChanged(live, ds) {
		fmt.Fprintf(u.Streams.ErrOut, "DaemonSet %s has the template of revision %d already; nothing to undo.\n", key, target.Number)
		return nil
	}
	if err := u.show(w, ds, u.full); err != nil {
		return err
	}
	if u.dryRun {
		fmt.Fprintln(u.Streams.ErrOut, "Nothing was changed.")
		return nil
	}
	if !u.yes {
		if err := u.ask(fmt.Sprintf("Go back to revision %d?", target.Number)); err != nil {
			return err
		}
	}
	if err := u.write(ctx, live, "go back to revision", target.object.Data.Raw); err != nil {
		return err
	}
	_, err = fmt.Fprintf(u.Streams.Out, "daemonset.apps/%s rolled back to revision %d\n", key.Name, target.Number)
	return err
}

// target is the revision that was asked for, or the newest that is not the current one.
func (u *undoCmd) target(d *fleet.Daemon, list []Revision) (*Revision, error) {
	if u.to != 0 {
		return numbered(d, list, u.to)
	}
	for i := len(list) - 1; i >= 0; i-- {
		if !list[i].Current {
			return &list[i], nil
		}
	}
	return nil, &Error{What: fmt.Sprintf("DaemonSet %s has no earlier revision", d.Key), Why: "its history holds the current one only"}
}

// show previews one DaemonSet as it would be.
func (c *Connection) show(w *snapshot.World, ds *appsv1.DaemonSet, full bool) error {
	applied := []*appsv1.DaemonSet{ds}
	r := runnersOf(w, applied)
	o := preview.Options{Now: w.Now, Placement: r.placement, Work: previewWork}
	list, err := preview.Compute(w.Fleet, applied, o)
	if err != nil {
		return &Error{What: "the change cannot be previewed", Why: err.Error(), Now: "nothing was changed", Cause: err}
	}
	report := newPlanReport(w, o, list, r, false)
	t := &planText{paint: NewPaint(c.Streams.Out), report: &report, full: full}
	t.daemon(&list[0])
	_, err = io.WriteString(c.Streams.Out, t.b.String())
	return err
}

func offline(verb string) error {
	return &Error{What: verb + " cannot change a snapshot", Why: "--snapshot names a file", Next: []string{"ask the cluster: leave --snapshot out", "only look: rollout undo --dry-run"}}
}

// ask waits for a yes. Who cannot be asked has to say --yes.
func (c *Connection) ask(question string) error {
	if f, ok := c.Streams.In.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		return &Error{What: "nobody can be asked", Why: "stdin is no terminal", Now: "nothing was changed", Next: []string{"to do it without being asked: --yes", "only to look: --dry-run"}}
	}
	fmt.Fprintf(c.Streams.ErrOut, "%s [y/N] ", question)
	answer, err := bufio.NewReader(c.Streams.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	fmt.Fprintln(c.Streams.ErrOut, "Nothing was changed.")
	return Exit(1)
}

// write patches a DaemonSet if it is still the one that was read.
func (c *Connection) write(ctx context.Context, live *appsv1.DaemonSet, what string, patch []byte) error {
	var fields map[string]any
	if err := json.Unmarshal(patch, &fields); err != nil {
		return err
	}
	fields["metadata"] = map[string]any{"resourceVersion": live.ResourceVersion, "uid": string(live.UID)}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	client, _, err := c.Client()
	if err != nil {
		return err
	}
	_, err = client.AppsV1().DaemonSets(live.Namespace).Patch(ctx, live.Name, types.StrategicMergePatchType, text, metav1.PatchOptions{FieldManager: "everynode-cli"})
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return &Error{
			What: fmt.Sprintf("DaemonSet %s/%s was not changed", live.Namespace, live.Name), Why: "somebody changed or deleted it after it was read",
			Next: []string{"look at it again, and repeat the command"}, Cause: err,
		}
	case err != nil:
		return &Error{What: fmt.Sprintf("DaemonSet %s/%s cannot %s", live.Namespace, live.Name, what), Why: err.Error(), Now: "nothing was changed", Cause: err}
	}
	return nil
}

func newRolloutRestart(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restart DAEMONSET",
		Short: "Replace all Pods, within the budget, as kubectl rollout restart does",
		Long: `Sets the annotation ` + preview.RestartedAt + ` of the template to now, so that every Pod is replaced as in any
rollout. It says how many nodes and steps that is. With the strategy OnDelete Pods only count as outdated then.`,
		Args: cobra.ExactArgs(1),
	}
	c := NewConnection(env, cmd)
	cmd.ValidArgsFunction = c.CompleteDaemon
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if c.Offline() {
			return offline("restart")
		}
		return c.restart(cmd.Context(), args[0], time.Now())
	}
	return cmd
}

func (c *Connection) restart(ctx context.Context, arg string, now time.Time) error {
	w, d, err := c.one(ctx, arg)
	if err != nil {
		return err
	}
	live := d.Object
	ds := preview.Restarted(live, now)
	applied := []*appsv1.DaemonSet{ds}
	list, err := preview.Compute(w.Fleet, applied, preview.Options{Now: w.Now, Placement: runnersOf(w, applied).placement, Work: previewWork})
	if err != nil {
		return &Error{What: "the restart cannot be previewed", Why: err.Error(), Now: "nothing was changed", Cause: err}
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{preview.RestartedAt: ds.Spec.Template.Annotations[preview.RestartedAt]},
	}}}})
	if err != nil {
		return err
	}
	if err := c.write(ctx, live, "be restarted", patch); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.Streams.Out, "daemonset.apps/%s restarted\n", live.Name); err != nil {
		return err
	}
	fmt.Fprintln(c.Streams.ErrOut, restartText(&list[0], c.Program))
	return nil
}

func restartText(p *preview.Preview, program string) string {
	if n := len(p.Nodes.OnDelete); n > 0 {
		return fmt.Sprintf("The strategy is OnDelete: %s until somebody deletes their Pods.", countedVerb(n, "node keeps its Pod", "nodes keep theirs"))
	}
	text := fmt.Sprintf("%s in %s", counted(len(p.Nodes.Replaced), "node"), counted(p.Rollout.Total, "step"))
	if p.Rollout.Takes != nil {
		text += ", about " + preview.Rough(p.Rollout.Takes.Duration) + " (estimate)"
	}
	if p.Rollout.Waiting > 0 {
		text += fmt.Sprintf("; it will halt: %d are never reached", p.Rollout.Waiting)
	}
	return text + fmt.Sprintf(".\n  follow it: %s rollout status %s -n %s", program, p.Name, p.Namespace)
}

func countedVerb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
