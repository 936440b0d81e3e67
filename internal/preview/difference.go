package preview

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// Change is one difference between two versions of a DaemonSet.
type Change struct {
	// Field is the path, with items of lists by their key: spec.template.spec.containers[agent].image.
	Field string `json:"field"`
	// Text is the change in words.
	Text string `json:"text"`
	// Old and New are the values; empty where there is none.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Template tells that the field is part of the Pod template, so that Pods are replaced for it.
	Template bool `json:"template"`
}

// unspoken annotations follow from a change and are none of their own.
var unspoken = []string{corev1.LastAppliedConfigAnnotation, appsv1.DeprecatedTemplateGeneration}

// Difference lists what differs in labels, annotations and spec, in the order of the fields. A nil DaemonSet is empty.
func Difference(from, to *appsv1.DaemonSet) ([]Change, error) {
	a, err := daemonTree(from)
	if err != nil {
		return nil, err
	}
	b, err := daemonTree(to)
	if err != nil {
		return nil, err
	}
	var d differ
	d.walk(nil, a, b)
	return d.changes, nil
}

// TemplateDifference lists what differs between two templates, as two revisions hold them.
func TemplateDifference(from, to *corev1.PodTemplateSpec) ([]Change, error) {
	wrap := func(t *corev1.PodTemplateSpec) *appsv1.DaemonSet {
		return &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: *t}}
	}
	return Difference(wrap(from), wrap(to))
}

func daemonTree(ds *appsv1.DaemonSet) (map[string]any, error) {
	if ds == nil {
		return map[string]any{}, nil
	}
	text, err := json.Marshal(&ds.Spec)
	if err != nil {
		return nil, fmt.Errorf("DaemonSet %s/%s: encode the spec: %w", ds.Namespace, ds.Name, err)
	}
	spec := map[string]any{}
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("DaemonSet %s/%s: read the encoded spec: %w", ds.Namespace, ds.Name, err)
	}
	annotations := maps.Clone(ds.Annotations)
	for _, key := range unspoken {
		delete(annotations, key)
	}
	return map[string]any{
		"metadata": map[string]any{"labels": asTree(ds.Labels), "annotations": asTree(annotations)},
		"spec":     spec,
	}, nil
}

func asTree(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// step is one part of a path: a field, or an item of a list or map by its key.
type step struct {
	field, key string
}

type differ struct {
	changes []Change
}

// opened are objects that are shown member by member even where one side lacks them; others come and go as a whole.
var opened = []string{
	"metadata", "labels", "annotations", "spec", "template", "selector", "matchLabels", "updateStrategy", "rollingUpdate", "resources", "requests",
	"limits", "nodeSelector", "securityContext", "affinity", "nodeAffinity",
}

// byKey are maps whose members are named by their users.
var byKey = []string{"labels", "annotations", "matchLabels", "requests", "limits", "nodeSelector"}

func (d *differ) walk(path []step, a, b any) {
	if reflect.DeepEqual(a, b) || (isOpened(path) && isEmpty(a) && isEmpty(b)) {
		return
	}
	am, bm, both, one := sides[map[string]any](a, b)
	if len(path) == 0 || both || (one && isOpened(path)) {
		d.walkMap(path, am, bm)
		return
	}
	al, bl, both, one := sides[[]any](a, b)
	if (both || one) && d.walkList(path, al, bl) {
		return
	}
	d.changes = append(d.changes, newChange(path, a, b))
}

// sides gives both values as a T: both are, or one is and the other is missing.
func sides[T any](a, b any) (at, bt T, both, one bool) {
	at, aIs := a.(T)
	bt, bIs := b.(T)
	return at, bt, aIs && bIs, (aIs && b == nil) || (bIs && a == nil)
}

func (d *differ) walkMap(path []step, a, b map[string]any) {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		s := step{field: k}
		if len(path) > 0 && slices.Contains(byKey, last(path).field) {
			s = step{key: k}
		}
		d.walk(append(slices.Clone(path), s), a[k], b[k])
	}
}

// walkList compares the items of lists that have keys, and tells whether it could.
func (d *differ) walkList(path []step, a, b []any) bool {
	field := last(path).field
	ak, aOK := keysOf(field, a)
	bk, bOK := keysOf(field, b)
	if !aOK || !bOK {
		return false
	}
	find := func(list []any, keys []string, key string) any {
		if i := slices.Index(keys, key); i >= 0 {
			return list[i]
		}
		return nil
	}
	before := len(d.changes)
	for _, key := range bothKeys(ak, bk) {
		item := append(slices.Clone(path[:len(path)-1]), step{field: field, key: key})
		d.walk(item, find(a, ak, key), find(b, bk, key))
	}
	if len(d.changes) == before { // the same items in another order are another template
		d.changes = append(d.changes, Change{
			Field: fieldText(path), Text: subject(path) + "other order", Old: valueText(anyOf(ak)), New: valueText(anyOf(bk)), Template: inTemplate(path),
		})
	}
	return true
}

// bothKeys are the keys of b in their order, after those that only a has.
func bothKeys(a, b []string) []string {
	var out []string
	for _, k := range a {
		if !slices.Contains(b, k) {
			out = append(out, k)
		}
	}
	return append(out, b...)
}

func isOpened(path []step) bool {
	return last(path).key == "" && slices.Contains(opened, last(path).field)
}

// isEmpty tells of a missing object or one without members.
func isEmpty(v any) bool {
	m, isMap := v.(map[string]any)
	return v == nil || (isMap && len(m) == 0)
}

func last(path []step) step {
	if len(path) == 0 {
		return step{}
	}
	return path[len(path)-1]
}

func anyOf(keys []string) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}

func inTemplate(path []step) bool {
	return len(path) > 1 && path[0].field == "spec" && path[1].field == "template"
}
