package preview

import (
	"cmp"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// Rollout is how the change gets to the nodes.
type Rollout struct {
	Strategy       appsv1.DaemonSetUpdateStrategyType `json:"strategy"`
	Desired        int                                `json:"desired"`
	MaxUnavailable int                                `json:"maxUnavailable"`
	MaxSurge       int                                `json:"maxSurge"`
	// Surging: new Pods come before old ones go.
	Surging bool `json:"surging"`
	// Steps are the groups of nodes that are replaced together if all Pods take equally long. When they do not, each zone's
	// nodes still go in this order. Not all are listed where there are very many.
	Steps []Step `json:"steps"`
	// Total is how many steps there are.
	Total int `json:"totalSteps"`
	// Waiting is how many nodes never get their turn, as the budget stays used up.
	Waiting int `json:"neverReached"`
	// Takes is about how long it takes; nil when it does not come to its end.
	Takes *metav1.Duration `json:"takes,omitempty"`
	Basis Basis            `json:"basedOn"`
}

// Step is one group of nodes.
type Step struct {
	After metav1.Duration `json:"after"`
	Nodes []string        `json:"nodes"`
	// Unavailable are those of them whose old Pod serves nothing: they go outside the budget.
	Unavailable []string `json:"unavailable,omitempty"`
}

// finish reads the preview from what came of the play.
func (d *draft) finish(now *fleet.Daemon, out Outcome) {
	last := out.Plans[d.Key()]
	for _, m := range out.Moments {
		if m.Daemon == d.Key() {
			d.Timeline = append(d.Timeline, m)
		}
	}
	d.from(last.Hash)
	d.judge(now, last.Hash)
	d.misfits(last)
	d.Rollout = Rollout{
		Strategy: d.after.Spec.UpdateStrategy.Type, Desired: int(last.Counts.Desired), MaxUnavailable: last.Budget.MaxUnavailable,
		MaxSurge: last.Budget.MaxSurge, Surging: last.Budget.Surging, Basis: d.basis, Steps: stepsOf(d.Timeline),
	}
	if out.Complete {
		d.unreached(last)
	}
	d.hold(now, last, out.Complete)
	d.total(last, out.Complete)
	d.Resources = d.cost(now)
}

// from names the revision that is left behind: that of most Pods that are not of the one to come.
func (d *draft) from(to string) {
	d.To = to
	hashes := map[string]int{}
	for _, hash := range d.had {
		if hash != to {
			hashes[hash]++
		}
	}
	for hash, n := range hashes {
		if n > hashes[d.From] || (n == hashes[d.From] && hash < d.From) {
			d.From = hash
		}
	}
}

// isStep tells whether a happening is a node's turn in the rollout.
func isStep(m Moment) bool {
	switch m.Code {
	case fleet.TemplateOutdated, fleet.SurgeStarted, fleet.OldPodUnavailable:
		return true
	}
	return false
}

func stepsOf(timeline []Moment) []Step {
	out := []Step{}
	turn := map[string]bool{} // a surge tells of a broken node twice: its new Pod comes, its old one goes
	for _, m := range timeline {
		if !isStep(m) || turn[m.Node] {
			continue
		}
		turn[m.Node] = true
		if n := len(out); n == 0 || out[n-1].After != m.At {
			out = append(out, Step{After: m.At})
		}
		s := &out[len(out)-1]
		s.Nodes = append(s.Nodes, m.Node)
		if m.Code == fleet.OldPodUnavailable {
			s.Unavailable = append(s.Unavailable, m.Node)
		}
	}
	return out
}

// total counts the steps that were not played, and says how long it takes or that it does not end.
func (d *draft) total(last plan.Plan, complete bool) {
	r := &d.Rollout
	r.Total = len(r.Steps)
	left := 0
	for _, w := range last.Waits {
		if w.Reason.Code == fleet.BudgetUsed {
			left++
		}
	}
	var took time.Duration
	if n := len(d.Timeline); n > 0 {
		took = d.Timeline[n-1].At.Duration + minReady(d.after)
	}
	if complete {
		if r.Waiting = left; left == 0 && len(d.Timeline) > 0 && r.Strategy == appsv1.RollingUpdateDaemonSetStrategyType {
			r.Takes = &metav1.Duration{Duration: took}
		}
		return
	}
	width := max(1, r.MaxUnavailable-d.stuck())
	if r.Surging {
		width = max(1, r.MaxSurge-d.stuck())
	}
	more := (left + width - 1) / width
	n := len(r.Steps)
	each := r.Basis.Ready.Duration + minReady(d.after) // too few steps to see how long one takes
	if !r.Surging {
		each += r.Basis.End.Duration
	}
	if n > 1 {
		each = r.Steps[n-1].After.Duration / time.Duration(n-1)
	}
	r.Takes = &metav1.Duration{Duration: time.Duration(n+more) * each}
	r.Total += more
}

// stuck is how many nodes use the budget up for ever.
func (d *draft) stuck() int {
	nodes := map[string]bool{}
	for _, h := range d.Holds {
		if h.Code != fleet.NoRoom && h.Code != fleet.PortTaken {
			nodes[h.Node] = true
		}
	}
	return len(nodes)
}

func minReady(ds *appsv1.DaemonSet) time.Duration {
	return time.Duration(ds.Spec.MinReadySeconds) * time.Second
}

// hold lists what the rollout still waits for at the end of the play.
func (d *draft) hold(now *fleet.Daemon, last plan.Plan, complete bool) {
	for _, w := range last.Waits {
		s := now.Slot(w.Node)
		silent := s != nil && s.Node != nil && !s.Node.Ready
		switch w.Reason.Code {
		case fleet.BudgetUsed, fleet.UpdateOnDelete, fleet.DryRunFirst:
			continue
		case fleet.NoRoom, fleet.PortTaken:
		default:
			if !complete && !silent {
				continue // it is only under way
			}
		}
		detail := w.Reason.Detail
		if silent {
			detail = "the node is NotReady; " + detail
		}
		d.Holds = append(d.Holds, Note{w.Node, w.Reason.Code, detail})
	}
	sortNotes(d.Holds)
	d.Holds = slices.CompactFunc(d.Holds, func(a, b Note) bool { return a == b })
}

func sortNotes(list []Note) {
	slices.SortFunc(list, func(a, b Note) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Code, b.Code)) })
}

func sortStrings(list []string) { slices.Sort(list) }
