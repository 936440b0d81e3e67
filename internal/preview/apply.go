package preview

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/everynode/everynode/internal/revision"
)

// Patch is the three-way patch that `kubectl apply` would send: what the manifest sets, and what it set the last time and
// sets no longer. Fields that others set stay. The manifest is one DaemonSet as JSON.
func Patch(live *appsv1.DaemonSet, manifest []byte) ([]byte, error) {
	modified, err := withLastApplied(manifest)
	if err != nil {
		return nil, err
	}
	current, err := json.Marshal(live)
	if err != nil {
		return nil, fmt.Errorf("encode DaemonSet %s/%s: %w", live.Namespace, live.Name, err)
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(appsv1.DaemonSet{})
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateThreeWayMergePatch([]byte(live.Annotations[corev1.LastAppliedConfigAnnotation]), modified, current, meta, true)
}

// withLastApplied writes the manifest into its own annotation, as kubectl does.
func withLastApplied(manifest []byte) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	metadata, _ := m["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		m["metadata"] = metadata
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	plain, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	annotations[corev1.LastAppliedConfigAnnotation] = string(plain) + "\n"
	return json.Marshal(m)
}

// Applied is the DaemonSet as it would be after `kubectl apply` of the manifest, worked out without an API server: the
// patch is carried out, Default fills in what the manifest leaves open, and the generations are counted up. live is nil for a
// new DaemonSet. Admission plugins and webhooks have no say here.
func Applied(live *appsv1.DaemonSet, manifest []byte, now time.Time) (*appsv1.DaemonSet, error) {
	text := manifest
	if live != nil {
		patch, err := Patch(live, manifest)
		if err != nil {
			return nil, err
		}
		current, err := json.Marshal(live)
		if err != nil {
			return nil, err
		}
		if text, err = strategicpatch.StrategicMergePatch(current, patch, appsv1.DaemonSet{}); err != nil {
			return nil, fmt.Errorf("apply the manifest to DaemonSet %s/%s: %w", live.Namespace, live.Name, err)
		}
	}
	ds := &appsv1.DaemonSet{}
	if err := json.Unmarshal(text, ds); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	Default(ds)
	if err := valid(live, ds); err != nil {
		return nil, err
	}
	count(live, ds, now)
	return ds, nil
}

// count gives the server's numbers: identity of a new object, generations of a changed one.
func count(live, ds *appsv1.DaemonSet, now time.Time) {
	if live == nil {
		ds.UID, ds.Generation, ds.CreationTimestamp = types.UID("preview:"+ds.Namespace+"/"+ds.Name), 1, metav1.NewTime(now)
		setTemplateGeneration(ds, 1)
		return
	}
	if !reflect.DeepEqual(live.Spec, ds.Spec) {
		ds.Generation = live.Generation + 1
	}
	if TemplateChanged(live, ds) {
		n, err := strconv.ParseInt(live.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
		if err == nil {
			setTemplateGeneration(ds, n+1)
		}
	}
}

func setTemplateGeneration(ds *appsv1.DaemonSet, n int64) {
	if ds.Annotations == nil {
		ds.Annotations = map[string]string{}
	}
	ds.Annotations[appsv1.DeprecatedTemplateGeneration] = strconv.FormatInt(n, 10)
}

// TemplateChanged tells whether Pods have to be replaced to get from one to the other.
func TemplateChanged(from, to *appsv1.DaemonSet) bool {
	a, errA := json.Marshal(&from.Spec.Template)
	b, errB := json.Marshal(&to.Spec.Template)
	return errA != nil || errB != nil || string(a) != string(b)
}

// Undone is the DaemonSet with the template of one of its revisions, as it would be after an undo.
func Undone(live *appsv1.DaemonSet, r *appsv1.ControllerRevision, now time.Time) (*appsv1.DaemonSet, error) {
	t, err := revision.Template(r)
	if err != nil {
		return nil, err
	}
	ds := live.DeepCopy()
	ds.Spec.Template = *t
	Default(ds) // an old revision may lack what is filled in by now
	if err := valid(live, ds); err != nil {
		return nil, err
	}
	count(live, ds, now)
	return ds, nil
}

// RestartedAt is the annotation by which kubectl, too, has all Pods replaced.
const RestartedAt = "kubectl.kubernetes.io/restartedAt"

// Restarted is the DaemonSet as it would be after a restart.
func Restarted(live *appsv1.DaemonSet, now time.Time) *appsv1.DaemonSet {
	ds := live.DeepCopy()
	if ds.Spec.Template.Annotations == nil {
		ds.Spec.Template.Annotations = map[string]string{}
	}
	ds.Spec.Template.Annotations[RestartedAt] = now.Format(time.RFC3339)
	count(live, ds, now)
	return ds
}
