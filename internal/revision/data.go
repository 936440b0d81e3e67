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
	var stored struct {
		Spec struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(r.Data.Raw, &stored); err != nil || stored.Spec.Template == nil {
		return false
	}
	again, err := Data(stored.Spec.Template)
	return err == nil && bytes.Equal(again, data)
}
