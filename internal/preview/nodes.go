package preview

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// Nodes says what becomes of each node's Pod. Every list is in order of names.
type Nodes struct {
	// Gained get a Pod and have none. The reason is what kept it away, if anything did.
	Gained []Note `json:"gained"`
	// Lost have a Pod and will not; the reason is the new template's.
	Lost []Note `json:"lost"`
	// Replaced get a new Pod for the old one.
	Replaced []string `json:"replaced"`
	// OnDelete keep their outdated Pod until somebody deletes it.
	OnDelete []string `json:"onDelete"`
	// NeverReached keep their outdated Pod, as the rollout halts before their turn.
	NeverReached []string `json:"neverReached"`
	// Kept stay as they are.
	Kept []string `json:"kept"`
	// Without have no Pod, and will have none: how many, by reason.
	Without map[fleet.Code]int `json:"without"`
}

// judge sorts the nodes by what the new template has to say of them, and by whether their Pod is of the revision to come.
func (d *draft) judge(now *fleet.Daemon, hash string) {
	n := Nodes{Gained: []Note{}, Lost: []Note{}, Replaced: []string{}, OnDelete: []string{}, NeverReached: []string{}, Kept: []string{}, Without: map[fleet.Code]int{}}
	onDelete := d.after.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	for _, s := range now.Slots() {
		if s.Node == nil {
			continue
		}
		old, had := d.had[s.NodeName]
		outdated := hash != "" && old != hash
		note := Note{s.NodeName, s.Verdict.Reason.Code, s.Verdict.Reason.Detail}
		switch {
		case !had && s.Verdict.ShouldRun():
			n.Gained = append(n.Gained, d.gain(s.NodeName))
		case !had:
			n.Without[note.Code]++
		case !s.Verdict.MayStay(), outdated && !s.Verdict.ShouldRun() && !onDelete:
			n.Lost = append(n.Lost, note) // a Pod that may only stay is not made again
		case outdated && onDelete:
			n.OnDelete = append(n.OnDelete, s.NodeName)
		case outdated:
			n.Replaced = append(n.Replaced, s.NodeName)
		default:
			n.Kept = append(n.Kept, s.NodeName)
		}
	}
	d.Nodes, d.lost = n, slices.Clone(n.Lost)
}

// gain tells what has kept the daemon away from a node that will get a Pod.
func (d *draft) gain(node string) Note {
	was, known := d.was[node]
	if !known || was.ShouldRun() {
		return Note{node, fleet.PodMissing, ""}
	}
	return Note{node, was.Reason.Code, was.Reason.Detail}
}

// unreached takes the nodes out of the lists whose turn does not come.
func (d *draft) unreached(last plan.Plan) {
	never := map[string]bool{}
	for _, w := range last.Waits {
		if w.Reason.Code == fleet.BudgetUsed {
			never[w.Node] = true
		}
	}
	d.Nodes.NeverReached = append(d.Nodes.NeverReached, slices.Sorted(maps.Keys(never))...)
	d.Nodes.Replaced = slices.DeleteFunc(d.Nodes.Replaced, func(node string) bool { return never[node] })
	d.Nodes.Lost = slices.DeleteFunc(d.Nodes.Lost, func(n Note) bool { return never[n.Node] })
}

// misfits takes the nodes where the new Pod has no room out of the lists: no Pod is made, and an old one stays.
func (d *draft) misfits(last plan.Plan) {
	no := map[string]bool{}
	for _, w := range last.Waits {
		if (w.Reason.Code == fleet.NoRoom || w.Reason.Code == fleet.PortTaken) && !no[w.Node] {
			no[w.Node] = true
			d.NoFit = append(d.NoFit, Note{w.Node, w.Reason.Code, w.Reason.Detail})
		}
	}
	sortNotes(d.NoFit)
	var gained []Note
	for _, g := range d.Nodes.Gained {
		if !no[g.Node] {
			gained = append(gained, g)
		}
	}
	d.Nodes.Gained = append([]Note{}, gained...)
	var replaced []string
	for _, node := range d.Nodes.Replaced {
		if no[node] {
			d.Nodes.Kept = append(d.Nodes.Kept, node)
		} else {
			replaced = append(replaced, node)
		}
	}
	d.Nodes.Replaced = append([]string{}, replaced...)
	sortStrings(d.Nodes.Kept)
}
