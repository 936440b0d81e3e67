package plan

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/revision"
)

// RevisionChange is one change to a ControllerRevision.
type RevisionChange = revision.Change

// past is a settled history, and what it was found from.
type past struct {
	object    *appsv1.DaemonSet
	revisions []*appsv1.ControllerRevision
	hint      string
	history   revision.History
}

// history finds the current revision and plans what its history needs (U185–U199). Without a current revision the hash is
// empty, and no Pod is touched.
func (b *Book) history() (hash string, err error) {
	h, err := b.reconcile()
	if err != nil {
		return "", err
	}
	if h.Current != nil {
		hash = h.Hash
	}
	used := b.wornHashes()
	for _, c := range h.Changes {
		if b.head.stalled || (c.Kind == revision.Delete && used[revision.HashOf(c.Revision)]) {
			continue // Pods are relabelled first
		}
		b.revise(c)
	}
	if len(h.Relabel) > 0 && !b.head.stalled {
		b.relabel(h.Relabel)
	}
	if b.head.stalled || h.Current == nil {
		return hash, nil
	}
	for _, old := range revision.Trim(b.d.Object, h.Old, used) {
		b.revise(RevisionChange{Kind: revision.Delete, Revision: old, Reason: "beyond revisionHistoryLimit"})
	}
	return hash, nil
}

// reconcile makes sense of the revisions, if they, the DaemonSet or the hint changed since they were last in order.
func (b *Book) reconcile() (revision.History, error) {
	ds, hint := b.d.Object, b.hint()
	if sameHistory(b.past.object, ds) && b.past.hint == hint && slices.Equal(b.past.revisions, b.Revisions) {
		b.past.object = ds // the next comparison is with this one
		return b.past.history, nil
	}
	b.past = past{}
	data := b.Template
	if data == nil {
		var err error
		if data, err = revision.Data(&ds.Spec.Template); err != nil {
			return revision.History{}, err
		}
	}
	h, err := revision.ReconcileData(ds, data, b.Revisions, hint)
	if err == nil && len(h.Changes) == 0 {
		b.past = past{object: ds, revisions: b.Revisions, hint: hint, history: h}
	}
	return h, err
}

// sameHistory tells whether two states of a DaemonSet have the same history: most writes are of the status, which matters for the
// count of collisions alone. a may be nil.
func sameHistory(a, b *appsv1.DaemonSet) bool {
	return a == b || a != nil && a.UID == b.UID && a.Generation == b.Generation && maps.Equal(a.Annotations, b.Annotations) && maps.Equal(a.Labels, b.Labels) &&
		ptr.Equal(a.Status.CollisionCount, b.Status.CollisionCount)
}

func (b *Book) relabel(to map[string]string) {
	for pod := range b.d.EachPod {
		if hash := to[pod.Hash()]; hash != "" && !pod.Patching && !pod.Creating {
			b.head.history = append(b.head.history, Action{Kind: Relabel, Node: pod.On, Pod: pod, Hash: hash, Reason: fleet.Reason{Code: fleet.RevisionsMerged, Detail: hash}})
		}
	}
}

func (b *Book) revise(c RevisionChange) {
	b.head.history = append(b.head.history, Action{Kind: Revise, Revision: c, Reason: fleet.Reason{Code: fleet.HistoryKept, Detail: strings.ToLower(string(c.Kind)) + " " + c.Revision.Name + ": " + c.Reason}})
}

// wornHashes gives the hashes on the DaemonSet's Pods, ended ones included (U194).
func (b *Book) wornHashes() map[string]bool {
	used := map[string]bool{}
	for k := range b.d.EachKind {
		used[k.Hash] = true
	}
	return used
}

// ofGeneration is sameGeneration for a kind of Pods.
func ofGeneration(k fleet.PodKind, template string) bool {
	return template != "" && k.Generation == template && !k.Older
}

// hint is the hash on Pods that carry the DaemonSet's current template generation: it names the current revision when the
// server has begun to show the template with other defaults (D7).
func (b *Book) hint() string {
	hint, template := "", b.d.Object.Annotations[appsv1.DeprecatedTemplateGeneration]
	for k := range b.d.EachKind {
		if k.Hash != "" && ofGeneration(k, template) && (hint == "" || k.Hash < hint) {
			hint = k.Hash
		}
	}
	return hint
}
