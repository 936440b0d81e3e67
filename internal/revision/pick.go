package revision

import (
	"bytes"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
)

// picked are the revisions that hold the template as it is now, in the order of the history, and why.
type picked struct {
	revisions []*appsv1.ControllerRevision
	why       string
}

// pick finds the current revision by the first rule that finds any.
//
// Equal bytes come first: they prove equality, also after a rollback, where the template generation is new (U141).
//
// Then the template generation: the API server counts it up at each real change of the template and at nothing else
// (U142), so an equal number proves that the template did not change, however differently the server shows it now.
//
// Then what the Pods say that were made at this template generation.
//
// Then equal meaning. Only bytes and meaning count for an orphan: its numbers were given by another DaemonSet, or nobody
// vouches for them.
func pick(ds *appsv1.DaemonSet, c claims, data []byte, hint string) picked {
	all := slices.Concat(c.owned, c.orphans)
	slices.SortFunc(all, order)
	if equal := filter(all, func(r *appsv1.ControllerRevision) bool { return bytes.Equal(r.Data.Raw, data) }); len(equal) > 0 {
		return picked{equal, "holds the template byte for byte"}
	}
	if now, ok := templateGeneration(ds.Annotations); ok {
		equal := filter(c.owned, func(r *appsv1.ControllerRevision) bool {
			proven, known := provenGeneration(ds, r)
			return known && proven == now
		})
		if len(equal) > 0 {
			return picked{latest(equal), fmt.Sprintf("was current at template generation %d, which has not changed", now)}
		}
	}
	worn := filter(c.owned, func(r *appsv1.ControllerRevision) bool { return hint != "" && HashOf(r) == hint && native(ds, r) })
	if len(worn) > 0 {
		return picked{latest(worn), "is worn by Pods of the same template generation"}
	}
	if equal := filter(all, func(r *appsv1.ControllerRevision) bool { return sameMeaning(r, data) }); len(equal) > 0 {
		return picked{latest(equal), "holds a template of the same meaning"}
	}
	return picked{}
}

// latest is the last of the history, but one that is being deleted only for lack of another.
func latest(list []*appsv1.ControllerRevision) []*appsv1.ControllerRevision {
	if staying := filter(list, func(r *appsv1.ControllerRevision) bool { return r.DeletionTimestamp == nil }); len(staying) > 0 {
		list = staying
	}
	return list[len(list)-1:]
}

func filter(list []*appsv1.ControllerRevision, keep func(*appsv1.ControllerRevision) bool) []*appsv1.ControllerRevision {
	var out []*appsv1.ControllerRevision
	for _, r := range list {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}
