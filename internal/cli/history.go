package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/internal/revision"
	"github.com/everynode/everynode/internal/snapshot"
)

// HistoryVersion is the version of HistoryReport's JSON form.
const HistoryVersion = "everynode.dev/history.v1"

// HistoryReport is what rollout history tells.
type HistoryReport struct {
	Version   string     `json:"version"`
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Revisions []Revision `json:"revisions"`
}

// Revision is one of a DaemonSet's revisions, the newest last.
type Revision struct {
	Number  int64     `json:"number"`
	Hash    string    `json:"hash"`
	Created time.Time `json:"created"`
	Current bool      `json:"current"`
	// Pods is how many live Pods are of it.
	Pods int `json:"pods"`
	// Cause is the annotation kubernetes.io/change-cause.
	Cause string `json:"cause,omitempty"`
	// Changes are the differences to the revision before it in the list.
	Changes []preview.Change `json:"changes"`

	object   *appsv1.ControllerRevision
	template *corev1.PodTemplateSpec
}

const changeCause = "kubernetes.io/change-cause"

type historyCmd struct {
	*Connection
	out    *Output
	number int64
	diff   string
}

func newRolloutHistory(env Env) *cobra.Command {
	h := &historyCmd{}
	cmd := &cobra.Command{
		Use:   "history DAEMONSET",
		Short: "List a DaemonSet's revisions, with what changed from one to the next",
		Example: fmt.Sprintf(`  %[1]s rollout history node-exporter -n monitoring
  %[1]s rollout history node-exporter -n monitoring --revision 3      # its template
  %[1]s rollout history node-exporter -n monitoring --diff 3..5       # all that differs`, env.Program),
		Args: cobra.ExactArgs(1),
	}
	h.Connection, h.out = NewConnection(env, cmd), NewOutput(cmd, JSON, YAML)
	cmd.Flags().Int64Var(&h.number, "revision", 0, "show this revision's template")
	cmd.Flags().StringVar(&h.diff, "diff", "", "A..B: show what differs between two revisions; A.. is up to the current one")
	cmd.ValidArgsFunction = h.CompleteDaemon
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := h.out.Check(); err != nil {
			return err
		}
		w, d, err := h.one(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		list, err := history(w, d)
		switch {
		case err != nil:
			return err
		case h.diff != "":
			return h.between(d, list)
		case h.number != 0:
			return h.show(d, list)
		}
		return h.table(w, d, list)
	}
	return cmd
}

// history lists the revisions of a DaemonSet.
func history(w *snapshot.World, d *fleet.Daemon) ([]Revision, error) {
	p, err := w.Plan(d)
	if err != nil {
		return nil, err
	}
	pods := map[string]int{}
	for pod := range d.EachPod {
		if !pod.Terminal() {
			pods[pod.Hash()]++
		}
	}
	list := []Revision{}
	for _, r := range w.Fleet.Revisions(d) {
		if !metav1.IsControlledBy(r, d.Object) {
			continue
		}
		t, err := revision.Template(r)
		if err != nil {
			return nil, &Error{What: fmt.Sprintf("the history of DaemonSet %s cannot be read", d.Key), Why: err.Error(), Cause: err}
		}
		hash := revision.HashOf(r)
		list = append(list, Revision{
			Number: r.Revision, Hash: hash, Created: r.CreationTimestamp.UTC(), Current: hash == p.Hash, Pods: pods[hash],
			Cause: r.Annotations[changeCause], Changes: []preview.Change{}, object: r, template: t,
		})
	}
	slices.SortStableFunc(list, func(a, b Revision) int { return cmp.Compare(a.Number, b.Number) })
	for i := 1; i < len(list); i++ {
		changes, err := preview.TemplateDifference(list[i-1].template, list[i].template)
		if err != nil {
			return nil, err
		}
		list[i].Changes = append(list[i].Changes, changes...)
	}
	return list, nil
}

func (h *historyCmd) table(w *snapshot.World, d *fleet.Daemon, list []Revision) error {
	if h.out.Data() {
		return h.out.Encode(h.Streams.Out, HistoryReport{Version: HistoryVersion, Namespace: d.Key.Namespace, Name: d.Key.Name, Revisions: list})
	}
	if len(list) == 0 {
		fmt.Fprintf(h.Streams.ErrOut, "DaemonSet %s has no revision yet.\n", d.Key)
		return nil
	}
	var rows [][]string
	for i := range list {
		r := &list[i]
		number := strconv.FormatInt(r.Number, 10)
		if r.Current {
			number += " *"
		}
		rows = append(rows, []string{number, r.Hash, strconv.Itoa(r.Pods), duration.HumanDuration(w.Now.Sub(r.Created)), orDash(r.Cause), summary(i, r.Changes)})
	}
	return h.out.Table(h.Streams.Out, []string{"REVISION", "HASH", "PODS", "AGE", "CHANGE-CAUSE", "CHANGED"}, rows)
}

// summary is the first change, and how many more there are.
func summary(i int, changes []preview.Change) string {
	switch {
	case i == 0:
		return "(the oldest that is kept)"
	case len(changes) == 0:
		return "-"
	case len(changes) == 1:
		return changes[0].Text
	}
	return fmt.Sprintf("%s, and %d more", changes[0].Text, len(changes)-1)
}

// numbered finds a revision.
func numbered(d *fleet.Daemon, list []Revision, number int64) (*Revision, error) {
	var all []string
	for i := range list {
		if list[i].Number == number {
			return &list[i], nil
		}
		all = append(all, strconv.FormatInt(list[i].Number, 10))
	}
	return nil, &Error{What: fmt.Sprintf("DaemonSet %s has no revision %d", d.Key, number), Next: []string{"there are: " + orDash(strings.Join(all, ", "))}}
}

func (h *historyCmd) show(d *fleet.Daemon, list []Revision) error {
	r, err := numbered(d, list, h.number)
	if err != nil {
		return err
	}
	if h.out.Data() {
		return h.out.Encode(h.Streams.Out, r.object)
	}
	text, err := yaml.Marshal(r.template)
	if err != nil {
		return err
	}
	fmt.Fprintf(h.Streams.ErrOut, "Revision %d of DaemonSet %s, hash %s, %s\n", r.Number, d.Key, r.Hash, counted(r.Pods, "Pod"))
	_, err = h.Streams.Out.Write(text)
	return err
}

// between shows what differs between two revisions.
func (h *historyCmd) between(d *fleet.Daemon, list []Revision) error {
	from, to, found := strings.Cut(h.diff, "..")
	a, errA := strconv.ParseInt(from, 10, 64)
	b, errB := strconv.ParseInt(to, 10, 64)
	if found && to == "" && len(list) > 0 {
		b, errB = list[len(list)-1].Number, nil
	}
	if !found || errA != nil || errB != nil {
		return &Error{What: fmt.Sprintf("--diff=%s cannot be read", h.diff), Next: []string{"two revisions: --diff 3..5", "one and the newest: --diff 3.."}}
	}
	ra, err := numbered(d, list, a)
	if err != nil {
		return err
	}
	rb, err := numbered(d, list, b)
	if err != nil {
		return err
	}
	changes, err := preview.TemplateDifference(ra.template, rb.template)
	if err != nil {
		return err
	}
	if h.out.Data() {
		return h.out.Encode(h.Streams.Out, append([]preview.Change{}, changes...))
	}
	if len(changes) == 0 {
		fmt.Fprintf(h.Streams.ErrOut, "Revisions %d and %d hold the same template.\n", a, b)
	}
	for _, c := range changes {
		fmt.Fprintln(h.Streams.Out, c.Text)
	}
	return nil
}
