package plan

import (
	"strings"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/revision"
)

// RevisionChange is one change to a ControllerRevision.
type RevisionChange = revision.Change

// history finds the current revision and plans what its history needs (U185–U199). Without a current revision Hash stays
// empty, and no Pod is touched.
func (p *planner) history() error {
	ds := p.d.Object
	data := p.Template
	if data == nil {
		var err error
		if data, err = revision.Data(&ds.Spec.Template); err != nil {
			return err
		}
	}
	h, err := revision.ReconcileData(ds, data, p.Revisions, p.hint())
	if err != nil {
		return err
	}
	if h.Current != nil {
		p.Hash = h.Hash
	}
	worn, used := p.wornHashes()
	for _, c := range h.Changes {
		if p.stalled || (c.Kind == revision.Delete && used[revision.HashOf(c.Revision)]) {
			continue // Pods are relabelled first
		}
		p.revise(c)
	}
	for _, pod := range worn {
		if to := h.Relabel[pod.Hash()]; to != "" && !p.stalled && !pod.Patching && !pod.Creating {
			p.act(Action{Kind: Relabel, Node: pod.On(), Pod: pod, Hash: to, Reason: fleet.Reason{Code: fleet.RevisionsMerged, Detail: to}})
		}
	}
	if p.stalled || h.Current == nil {
		return nil
	}
	for _, old := range revision.Trim(ds, h.Old, used) {
		p.revise(RevisionChange{Kind: revision.Delete, Revision: old, Reason: "beyond revisionHistoryLimit"})
	}
	return nil
}

func (p *planner) revise(c RevisionChange) {
	p.act(Action{Kind: Revise, Revision: c, Reason: fleet.Reason{Code: fleet.HistoryKept, Detail: strings.ToLower(string(c.Kind)) + " " + c.Revision.Name + ": " + c.Reason}})
}

// wornHashes gives the DaemonSet's Pods and the set of hashes on them, ended ones included (U194).
func (p *planner) wornHashes() (pods []*fleet.Pod, used map[string]bool) {
	used = map[string]bool{}
	for pod := range p.d.EachPod {
		pods = append(pods, pod)
		used[pod.Hash()] = true
	}
	return pods, used
}

// hint is the hash on Pods that carry the DaemonSet's current template generation: it names the current revision when the
// server has begun to show the template with other defaults (D7).
func (p *planner) hint() string {
	hint := ""
	for pod := range p.d.EachPod {
		if hash := pod.Hash(); hash != "" && p.sameGeneration(pod) && (hint == "" || hash < hint) {
			hint = hash
		}
	}
	return hint
}
