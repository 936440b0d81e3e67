package progress

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// State is a rollout's state in one word.
type State string

// The states.
const (
	// Done: every node that should have the daemon has the current revision, available.
	Done State = "done"
	// Degraded: every Pod is of the current revision, and some are missing or not available.
	Degraded State = "degraded"
	// Rolling: outdated Pods are left, and it goes on.
	Rolling State = "rolling"
	// Halted: outdated Pods are left, the budget is used up, and what it waits for has been so for a while.
	Halted State = "halted"
	// ByHand: outdated Pods are left, and the strategy OnDelete leaves them to people.
	ByHand State = "on-delete"
	// Deleting: the DaemonSet is being deleted.
	Deleting State = "deleting"
	// Undecided: nothing can be decided; the blocker says why.
	Undecided State = "undecided"
)

// Progress is how far one DaemonSet is.
type Progress struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Desired   int    `json:"desired"`
	Current   int    `json:"current"`
	Ready     int    `json:"ready"`
	Updated   int    `json:"updated"`
	Available int    `json:"available"`
	Misplaced int    `json:"misscheduled"`
	State     State  `json:"state"`
	// Revision is the current one's hash.
	Revision string `json:"revision,omitempty"`
	// Step of Steps is how far a rollout is, by the width of its budget; both are 0 where there is none.
	Step  int `json:"step,omitempty"`
	Steps int `json:"steps,omitempty"`
	// Blockers are what is waited for, the one on most nodes first.
	Blockers []Blocker `json:"blockers"`
}

// Blocker is one reason, and the nodes that it holds up.
type Blocker struct {
	Code   fleet.Code `json:"code"`
	Nodes  []string   `json:"nodes"`
	Detail string     `json:"detail,omitempty"`
}

// patience is how long a new Pod may be on its way before the rollout counts as halted.
const patience = 2 * time.Minute

// Of reads a plan.
func Of(p plan.Plan, now time.Time) Progress {
	d, c := p.Daemon, p.Counts
	out := Progress{
		Namespace: d.Key.Namespace, Name: d.Key.Name,
		Desired: int(c.Desired), Current: int(c.Current), Ready: int(c.Ready), Updated: int(c.Updated), Available: int(c.Available), Misplaced: int(c.Misscheduled),
		Revision: p.Hash, Blockers: blockers(p),
	}
	out.State = out.state(p, now)
	if width := width(p.Budget); (out.State == Rolling || out.State == Halted) && width > 0 {
		out.Steps = (out.Desired + width - 1) / width
		out.Step = min(out.Updated/width+1, out.Steps)
	}
	return out
}

// Key is the DaemonSet's name.
func (p *Progress) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}

// Undecidable is the Progress of a DaemonSet for which no plan could be made.
func Undecidable(d *fleet.Daemon, err error) Progress {
	return Progress{
		Namespace: d.Key.Namespace, Name: d.Key.Name, State: Undecided,
		Blockers: []Blocker{{Code: "Undecided", Nodes: []string{}, Detail: err.Error()}},
	}
}

func width(b plan.Budget) int {
	if b.Surging {
		return b.MaxSurge
	}
	return b.MaxUnavailable
}

func (p *Progress) state(pl plan.Plan, now time.Time) State {
	switch {
	case pl.Daemon.Deleting():
		return Deleting
	case pl.Problem != nil || pl.Hash == "" && len(pl.Actions) == 0:
		return Undecided
	case p.Updated == p.Desired && p.Available == p.Desired:
		return Done
	case p.Updated >= p.Current && p.Updated > 0 || p.Current == 0:
		return Degraded
	case pl.Budget.Strategy == appsv1.OnDeleteDaemonSetStrategyType:
		return ByHand
	case len(pl.Actions) == 0 && stuck(pl, now):
		return Halted
	}
	return Rolling
}

// stuck tells that outdated Pods wait for the budget, and that nothing it waits for is young or ends with time.
func stuck(p plan.Plan, now time.Time) bool {
	waiting := false
	for _, w := range p.Waits {
		switch {
		case w.Reason.Code == fleet.BudgetUsed:
			waiting = true
		case !w.Until.IsZero() && w.Reason.Code != fleet.CallBackoff && w.Reason.Code != fleet.FailureBackoff:
			return false
		case w.Reason.Code == fleet.PodNotReady && young(p.Daemon.Slot(w.Node), now):
			return false
		case w.Reason.Code == fleet.CallInFlight, w.Reason.Code == fleet.DryRunFirst && w.Reason.Detail == "":
			return false
		case w.Reason.Code == fleet.PodTerminating && ready(p.Daemon.Slot(w.Node)):
			return false
		}
	}
	return waiting
}

// ready tells that the node works, so that a Pod on its way out will end. How long it has been ending is not known.
func ready(s *fleet.Slot) bool { return s != nil && s.Node != nil && s.Node.Ready }

func young(s *fleet.Slot, now time.Time) bool {
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.Pods, func(pod *fleet.Pod) bool { return now.Sub(pod.Created.Time()) < patience })
}

// blockers gathers what the plan waits for, but for nodes whose turn has simply not come.
func blockers(p plan.Plan) []Blocker {
	out := []Blocker{}
	if p.Problem != nil {
		out = append(out, Blocker{Code: p.Problem.Code, Nodes: []string{}, Detail: p.Problem.Detail})
	}
	for _, w := range p.Waits {
		if w.Reason.Code == fleet.BudgetUsed || w.Reason.Code == fleet.UpdateOnDelete {
			continue
		}
		i := slices.IndexFunc(out, func(b Blocker) bool { return b.Code == w.Reason.Code })
		if i < 0 {
			i, out = len(out), append(out, Blocker{Code: w.Reason.Code, Detail: detail(p, w)})
		}
		if !slices.Contains(out[i].Nodes, w.Node) {
			out[i].Nodes = append(out[i].Nodes, w.Node)
		}
	}
	slices.SortStableFunc(out, func(a, b Blocker) int { return cmp.Compare(len(b.Nodes), len(a.Nodes)) })
	return out
}

// detail adds that it is the node's fault.
func detail(p plan.Plan, w plan.Wait) string {
	if s := p.Daemon.Slot(w.Node); s != nil && s.Node != nil && !s.Node.Ready {
		return w.Reason.Detail + ", and the node is NotReady"
	}
	return w.Reason.Detail
}

// Sentence is what `kubectl rollout status` says.
func (p *Progress) Sentence() string {
	switch {
	case p.State == Undecided:
		return "Waiting for daemon set spec update to be observed..."
	case p.Updated < p.Desired:
		return fmt.Sprintf("Waiting for daemon set %q rollout to finish: %d out of %d new pods have been updated...", p.Name, p.Updated, p.Desired)
	case p.Available < p.Desired:
		return fmt.Sprintf("Waiting for daemon set %q rollout to finish: %d of %d updated pods are available...", p.Name, p.Available, p.Desired)
	}
	return fmt.Sprintf("daemon set %q successfully rolled out", p.Name)
}

// Rollout is the state in a table's cell.
func (p *Progress) Rollout() string {
	switch {
	case p.Steps > 0:
		return fmt.Sprintf("%s, step %d of %d", p.State, p.Step, p.Steps)
	case p.State == ByHand:
		return fmt.Sprintf("%s, %d outdated", p.State, p.Desired-p.Updated)
	}
	return string(p.State)
}

// Top is the first blocker in a table's cell, or empty.
func (p *Progress) Top() string {
	if len(p.Blockers) == 0 {
		return ""
	}
	b := p.Blockers[0]
	switch len(b.Nodes) {
	case 0:
		return string(b.Code) + ": " + b.Detail
	case 1:
		return fmt.Sprintf("%s on %s", b.Code, b.Nodes[0])
	}
	return fmt.Sprintf("%s on %s and %d more", b.Code, b.Nodes[0], len(b.Nodes)-1)
}
