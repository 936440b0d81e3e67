package revision

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
)

// GenerationOf is an annotation of ours on a ControllerRevision: the UID of the DaemonSet whose numbering its template
// generation follows. It is only written where that is not plain from the revision's age.
const GenerationOf = "everynode.dev/generation-of"

// templateGeneration parses the annotation that the API server keeps on a DaemonSet (U141), and that New copies.
func templateGeneration(annotations map[string]string) (int64, bool) {
	n, err := strconv.ParseInt(annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	return n, err == nil
}

// native tells whether the revision's numbers were given under this very DaemonSet. A DaemonSet that was deleted without
// its Pods and made anew starts at generation 1 again, with adopted revisions that say 1 too and hold another template:
// to believe them would be to never roll the new template out. An adopted revision is older than its DaemonSet, or
// marked by the adoption.
func native(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) bool {
	if of, ok := r.Annotations[GenerationOf]; ok {
		return of == string(ds.UID)
	}
	return !r.CreationTimestamp.Before(&ds.CreationTimestamp)
}

// provenGeneration is the newest template generation that the revision is known to have been current at.
func provenGeneration(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) (int64, bool) {
	if !native(ds, r) {
		return 0, false
	}
	return templateGeneration(r.Annotations)
}

// needsStamp tells whether the current revision should be given the DaemonSet's template generation: after a rollback
// it still has that of its first time. A number is never lowered, as an older DaemonSet may be all that was read.
func needsStamp(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) bool {
	now, ok := templateGeneration(ds.Annotations)
	if !ok {
		return false
	}
	proven, known := provenGeneration(ds, r)
	return !known || proven < now
}

// stamp writes the DaemonSet's template generation on a copy of a revision of it.
func stamp(ds *appsv1.DaemonSet, r *appsv1.ControllerRevision) {
	if r.Annotations == nil {
		r.Annotations = map[string]string{}
	}
	r.Annotations[appsv1.DeprecatedTemplateGeneration] = ds.Annotations[appsv1.DeprecatedTemplateGeneration]
	if !native(ds, r) {
		r.Annotations[GenerationOf] = string(ds.UID)
	}
}
