package revision

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
)

// defaultLimit is the API server's default of spec.revisionHistoryLimit.
const defaultLimit = 10

// Trim gives the old revisions that spec.revisionHistoryLimit leaves no room for, oldest first (U194). used holds the
// hash labels of all the DaemonSet's Pods, also of those that have ended or are ending: a revision that a Pod wears is
// passed over, so more than the limit may stay. One that is being deleted already makes room.
func Trim(ds *appsv1.DaemonSet, old []*appsv1.ControllerRevision, used map[string]bool) []*appsv1.ControllerRevision {
	limit := defaultLimit
	if l := ds.Spec.RevisionHistoryLimit; l != nil {
		limit = max(0, int(*l))
	}
	sorted := filter(old, func(r *appsv1.ControllerRevision) bool { return r.DeletionTimestamp == nil })
	slices.SortFunc(sorted, order)
	surplus := len(sorted) - limit
	var out []*appsv1.ControllerRevision
	for _, r := range sorted {
		if len(out) >= surplus {
			break
		}
		if !used[hashOrName(r)] {
			out = append(out, r)
		}
	}
	return out
}
