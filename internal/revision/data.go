package revision

import (
	"bytes"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// Data is what a ControllerRevision stores of a template: a strategic merge patch that puts it back (U186). The bytes
// are upstream's: the typed form, sent through a map so that keys are sorted, integers kept whole.
func Data(template *corev1.PodTemplateSpec) ([]byte, error) {
	typed, err := json.Marshal(template)
	if err != nil {
		return nil, fmt.Errorf("encode the template: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(typed, &fields); err != nil {
		return nil, fmt.Errorf("read the encoded template: %w", err)
	}
	fields["$patch"] = "replace"
	return json.Marshal(map[string]any{"spec": map[string]any{"template": fields}})
}

// sameMeaning tells whether stored data means the template whose Data is given: read as a template and written again
// it gives the same bytes. That drops creationTimestamp null, which servers up to 1.33 wrote (U186), and fields that
// this program does not know, which the given template cannot show either.
func sameMeaning(r *appsv1.ControllerRevision, data []byte) bool {
	stored, ok := templateIn(r.Data.Raw)
	if !ok {
		return false
	}
	again, err := Data(stored)
	return err == nil && bytes.Equal(again, data)
}

// templateIn reads a template from data of the shape that Data writes. In another shape it is another patch, perhaps one
// that merges or deletes, and an undo to it would not give the template back. It is read through a map, as the server
// that applies a patch does, so that a name that occurs twice has one meaning.
func templateIn(data []byte) (*corev1.PodTemplateSpec, bool) {
	var patch map[string]any
	if err := json.Unmarshal(data, &patch); err != nil {
		return nil, false
	}
	spec, _ := patch["spec"].(map[string]any)
	fields, _ := spec["template"].(map[string]any)
	if len(patch) != 1 || len(spec) != 1 || fields["$patch"] != "replace" {
		return nil, false
	}
	delete(fields, "$patch")
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, false
	}
	template := &corev1.PodTemplateSpec{}
	return template, json.Unmarshal(text, template) == nil
}

// Template reads the template that a revision holds.
func Template(r *appsv1.ControllerRevision) (*corev1.PodTemplateSpec, error) {
	t, ok := templateIn(r.Data.Raw)
	if !ok {
		return nil, fmt.Errorf("ControllerRevision %s/%s holds no template of a DaemonSet: its data was not written by a DaemonSet's controller", r.Namespace, r.Name)
	}
	return t, nil
}
