package revision

import (
	"fmt"
	"math"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// Reconcile sorts out a DaemonSet's revisions. list holds those that it owns and orphans that its selector matches, in
// any order; others are ignored. hint is the hash label of Pods whose pod-template-generation label equals the
// DaemonSet's template generation, or empty.
//
// The result is the same for the same input. Once its Changes are written, Reconcile asks for no more, but for one more
// round after an adoption. For a DaemonSet that is being deleted it asks for nothing (U065).
func Reconcile(ds *appsv1.DaemonSet, list []*appsv1.ControllerRevision, hint string) (History, error) {
	data, err := Data(&ds.Spec.Template)
	if err != nil {
		return History{}, err
	}
	return ReconcileData(ds, data, list, hint)
}

// ReconcileData is Reconcile where Data of the template is known already.
func ReconcileData(ds *appsv1.DaemonSet, data []byte, list []*appsv1.ControllerRevision, hint string) (History, error) {
	c, err := claim(ds, list)
	if err != nil {
		return History{}, err
	}
	p := pick(ds, c, data, hint)
	h := History{}
	current, duplicates := keep(c, p.revisions)
	if current != nil {
		h.Current, h.Hash, h.Why = current, hashOrName(current), p.why
	}
	h.Old = filter(c.owned, func(r *appsv1.ControllerRevision) bool {
		return r != current && !slices.Contains(duplicates, r)
	})
	if ds.DeletionTimestamp != nil {
		h.Old = append(h.Old, duplicates...)
		slices.SortFunc(h.Old, order)
		return h, nil
	}

	h.takeAndRelease(ds, c)
	h.mark(ds, c)
	h.dropDuplicates(duplicates)
	if len(p.revisions) == 0 {
		created, err := New(ds, next(c.owned, c.orphans))
		if err != nil {
			return History{}, err
		}
		h.add(Create, created, "no revision holds the template")
	}
	return h, nil
}

// keep chooses the current revision among those that hold the template: the last in the history (U191). An orphan has to be
// adopted before it can be current.
func keep(c claims, holders []*appsv1.ControllerRevision) (current *appsv1.ControllerRevision, duplicates []*appsv1.ControllerRevision) {
	owned := filter(holders, func(r *appsv1.ControllerRevision) bool { return slices.Contains(c.owned, r) })
	if len(owned) == 0 {
		return nil, nil
	}
	current = latest(owned)[0]
	return current, filter(owned, func(r *appsv1.ControllerRevision) bool { return r != current })
}

// next is the number that follows the highest in the lists. The highest of all is given again, as the API server refuses
// the negative number that would follow it.
func next(lists ...[]*appsv1.ControllerRevision) int64 {
	var highest int64
	for _, list := range lists {
		for _, r := range list {
			highest = max(highest, r.Revision)
		}
	}
	if highest == math.MaxInt64 {
		return highest
	}
	return highest + 1
}

func (h *History) add(kind Kind, r *appsv1.ControllerRevision, format string, args ...any) {
	h.Changes = append(h.Changes, Change{Kind: kind, Revision: r, Reason: fmt.Sprintf(format, args...)})
}

func (h *History) takeAndRelease(ds *appsv1.DaemonSet, c claims) {
	for _, r := range c.strays {
		h.add(Release, released(ds, r), "the selector does not match its labels")
	}
	for _, r := range c.orphans {
		h.add(Adopt, adopted(ds, r), "nobody controls it and the selector matches its labels")
	}
}

// mark gives owned revisions what they lack: all of them a hash label, the current one its number and template generation.
// It is one write for each revision, as a second would meet the resourceVersion of the first.
func (h *History) mark(ds *appsv1.DaemonSet, c claims) {
	for _, r := range h.Old {
		if !labelled(r) {
			h.add(Label, withLabel(r), "it has no hash label")
		}
	}
	r := h.Current
	if r == nil {
		return
	}
	// An orphan's number counts, as it is about to join.
	number, stale := next(h.Old, c.orphans), needsStamp(ds, r)
	if labelled(r) && !stale && r.Revision >= number {
		return
	}
	kind, out, reasons := Label, r.DeepCopy(), []string(nil)
	if !labelled(r) {
		out, reasons = withLabel(r), append(reasons, "it has no hash label")
	}
	if stale {
		stamp(ds, out)
		kind, reasons = Stamp, append(reasons, "it is current at template generation "+ds.Annotations[appsv1.DeprecatedTemplateGeneration])
	}
	if r.Revision < number {
		out.Revision = number
		kind, reasons = Renumber, append(reasons, fmt.Sprintf("the template of revision %d is current again", r.Revision))
	}
	h.add(kind, out, "%s", strings.Join(reasons, "; "))
}

func (h *History) dropDuplicates(duplicates []*appsv1.ControllerRevision) {
	for _, r := range duplicates {
		if hash := hashOrName(r); hash != h.Hash {
			if h.Relabel == nil {
				h.Relabel = map[string]string{}
			}
			h.Relabel[hash] = h.Hash
		}
		if r.DeletionTimestamp == nil {
			h.add(Delete, r, "it holds the same template as %s", h.Current.Name)
		}
	}
}
