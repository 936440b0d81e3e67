package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/everynode/everynode/internal/cli/manifest"
	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/internal/snapshot"
)

// ExitChanges is the exit code of plan when something would change.
const ExitChanges = 2

// previewWork bounds how many slots a preview looks at: all steps of 400 nodes one at a time, and about a second.
const previewWork = 500_000

// planCmd is `everynode plan`.
type planCmd struct {
	*Connection
	out       *Output
	files     manifest.Source
	placement string
	simulate  bool
	full      bool
	slow      map[string]string
	fail      []string
}

// NewPlan is `everynode plan`.
func NewPlan(env Env) *cobra.Command {
	p := &planCmd{}
	cmd := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Show what applying a manifest would do to each node, and change nothing",
		Long: `Reads DaemonSets from manifests and shows what "kubectl apply" of them would lead to: which nodes gain, lose, keep or
replace a Pod, in which order and how many steps, what will hold the rollout up, where the new Pod does not fit, what it
takes from the nodes, and about how long it takes. The controller's own code decides; nothing is written.

On a cluster the API server fills in defaults and checks the manifest, in a dry run. With --snapshot, or without the right
to a dry run, that is done here. A DaemonSet that is missing from the manifests is not looked at.

Exit code: 0 if nothing would change, 2 if something would, 1 after an error.`,
		Example: fmt.Sprintf(`  %[1]s plan -f agent.yaml
  %[1]s plan -k overlays/production -o json
  %[1]s plan -f agent.yaml --simulate --fail-node node-003 --slow-node node-007=5m
  %[1]s plan -f agent.yaml --snapshot production.jsonl`, env.Program),
		Args: cobra.NoArgs,
	}
	p.Connection, p.out = NewConnection(env, cmd), NewOutput(cmd, JSON, YAML)
	f := cmd.Flags()
	f.StringSliceVarP(&p.files.Files, "filename", "f", nil, "files, directories or addresses of manifests; - is stdin")
	f.StringVarP(&p.files.Kustomize, "kustomize", "k", "", "a kustomization directory, in place of -f")
	f.BoolVarP(&p.files.Recursive, "recursive", "R", false, "directories with all below them")
	f.BoolVar(&p.full, "full", false, "list all nodes and all steps")
	f.BoolVar(&p.simulate, "simulate", false, "play the rollout to its end and show when what happens")
	f.StringSliceVar(&p.fail, "fail-node", nil, "NODE or NODE=DURATION: its kubelet falls silent, at once or after that time")
	f.StringToStringVar(&p.slow, "slow-node", nil, "NODE=DURATION: Pods take this long to become Ready on it")
	f.StringVar(&p.placement, "placement", "", "how Pods get onto nodes: direct or scheduler (default: as the cluster's controller does it)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) }
	return cmd
}

func (p *planCmd) run(ctx context.Context) error {
	o, err := p.options()
	if err != nil {
		return err
	}
	list, err := p.manifests()
	if err != nil {
		return err
	}
	s, err := p.facts(ctx, list)
	if err != nil {
		return err
	}
	p.TellMissing(s)
	if s.Redacted {
		fmt.Fprintln(p.Streams.ErrOut, "note: names in this snapshot were replaced, so a manifest with the real names counts as new")
	}
	w, err := s.World(s.Taken)
	if err != nil {
		return err
	}
	applied, err := p.applied(ctx, w, list)
	if err != nil {
		return err
	}
	o.Now, o.Quotas = w.Now, w.Quotas
	runners := runnersOf(w, applied)
	if o.Placement == "" {
		o.Placement = runners.placement
	}
	previews, err := preview.Compute(w.Fleet, applied, o)
	if err != nil {
		return &Error{What: "the change cannot be previewed", Why: err.Error(), Cause: err}
	}
	return p.print(newPlanReport(w, o, previews, runners, p.simulate))
}

// options reads the flags that say how to preview.
func (p *planCmd) options() (preview.Options, error) {
	o := preview.Options{Slow: map[string]time.Duration{}, Fail: map[string]time.Duration{}, Placement: plan.Placement(p.placement)}
	if err := p.out.Check(); err != nil {
		return o, err
	}
	switch o.Placement {
	case "", plan.Direct, plan.Scheduler:
	default:
		return o, &Error{What: "--placement=" + p.placement + " is unknown", Next: []string{"use direct or scheduler"}}
	}
	if len(p.files.Files) == 0 && p.files.Kustomize == "" {
		return o, &Error{What: "no manifest is named", Next: []string{"name a file:          -f FILE, or -f - for stdin", "or a kustomization:   -k DIRECTORY"}}
	}
	if len(p.files.Files) > 0 && p.files.Kustomize != "" {
		return o, &Error{What: "-f and -k cannot both be used", Next: []string{"plan one after the other"}}
	}
	if !p.simulate && len(p.slow)+len(p.fail) > 0 {
		p.simulate = true // what else could be meant
	}
	if !p.simulate && !p.full {
		o.Work = previewWork
	}
	return o, p.faults(&o)
}

// facts reads the whole cluster or, without the right to that, the manifests' namespace.
func (p *planCmd) facts(ctx context.Context, list []manifest.Manifest) (*snapshot.Snapshot, error) {
	s, err := p.read(ctx, cluster.Scope{Quotas: true})
	if !apierrors.IsForbidden(err) {
		return s, err
	}
	namespace := list[0].DaemonSet.Namespace
	for _, m := range list {
		if m.DaemonSet.Namespace != namespace {
			return nil, err
		}
	}
	fmt.Fprintf(p.Streams.ErrOut, "note: may not list daemonsets in all namespaces; not known: which host ports DaemonSets of others ask for\n")
	return p.read(ctx, cluster.Scope{Namespace: namespace, Quotas: true})
}

// manifests reads the DaemonSets, and refuses when there is none.
func (p *planCmd) manifests() ([]manifest.Manifest, error) {
	src := p.files
	src.Stdin, src.Enforced = p.Streams.In, *p.flags.Namespace != ""
	var err error
	if src.Namespace, err = p.Namespace(); err != nil {
		return nil, err
	}
	list, others, err := manifest.Read(src)
	switch {
	case err != nil:
		return nil, &Error{What: "the manifest cannot be used", Why: err.Error(), Now: "nothing was planned", Cause: err}
	case len(list) == 0:
		return nil, &Error{What: "there is no DaemonSet in it", Why: fmt.Sprintf("%s of other kinds", counted(others, "object")), Next: []string{"name a file that has one: -f FILE"}}
	case others > 0:
		fmt.Fprintf(p.Streams.ErrOut, "note: %s of other kinds not looked at\n", counted(others, "object"))
	}
	return list, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
