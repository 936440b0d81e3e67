package snapshot

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// daemonSet is a DaemonSet with other names. Its template goes through the same walk as that of a revision, so that what
// was equal stays equal.
func (n *namer) daemonSet(ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	out := ds.DeepCopy()
	out.Name, out.Namespace, out.Labels = n.name(ds.Name), n.name(ds.Namespace), n.labels(ds.Labels)
	out.Annotations = nil
	if v, ok := ds.Annotations[keptAnnotation]; ok {
		out.Annotations = map[string]string{keptAnnotation: v}
	}
	for i := range out.Finalizers {
		out.Finalizers[i] = n.labelKey(out.Finalizers[i])
	}
	n.owners(out.OwnerReferences)
	for i := range out.Status.Conditions {
		out.Status.Conditions[i].Message = n.text(out.Status.Conditions[i].Message)
	}
	text, err := json.Marshal(ds.Spec)
	if err != nil {
		return nil, fmt.Errorf("DaemonSet %s/%s: %w", ds.Namespace, ds.Name, err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("DaemonSet %s/%s: %w", ds.Namespace, ds.Name, err)
	}
	if text, err = json.Marshal(n.walk("spec", fields)); err != nil {
		return nil, fmt.Errorf("DaemonSet %s/%s: %w", ds.Namespace, ds.Name, err)
	}
	out.Spec = appsv1.DaemonSetSpec{}
	if err := json.Unmarshal(text, &out.Spec); err != nil {
		return nil, fmt.Errorf("DaemonSet %s/%s: spec after redaction: %w", ds.Namespace, ds.Name, err)
	}
	return out, nil
}

func (n *namer) owners(refs []metav1.OwnerReference) {
	for i := range refs {
		refs[i].Name = n.name(refs[i].Name)
	}
}

// revision is a ControllerRevision with other names in its data.
func (n *namer) revision(r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	out := r.DeepCopy()
	out.Namespace, out.Labels, out.Annotations = n.name(r.Namespace), n.labels(r.Labels), nil
	n.owners(out.OwnerReferences)
	if ref := metav1.GetControllerOf(r); ref != nil {
		out.Name = n.name(ref.Name) + "-" + r.Labels[appsv1.ControllerRevisionHashLabelKey]
	} else {
		out.Name = n.name(r.Name)
	}
	if len(r.Data.Raw) == 0 {
		return out, nil
	}
	var patch map[string]any
	if err := json.Unmarshal(r.Data.Raw, &patch); err != nil {
		return nil, fmt.Errorf("ControllerRevision %s/%s: data: %w", r.Namespace, r.Name, err)
	}
	text, err := json.Marshal(n.walk("", patch))
	if err != nil {
		return nil, fmt.Errorf("ControllerRevision %s/%s: data: %w", r.Namespace, r.Name, err)
	}
	out.Data.Raw = text
	return out, nil
}

// keptWords are fields whose values come from Kubernetes' own lists.
var keptWords = []string{
	"$patch", "apiVersion", "kind", "operator", "effect", "protocol", "type", "restartPolicy", "imagePullPolicy", "dnsPolicy", "scheme",
	"terminationMessagePolicy", "schedulerName", "preemptionPolicy", "mountPropagation", "fieldPath", "topologyKey", "creationTimestamp",
	"whenUnsatisfiable", "medium", "maxUnavailable", "maxSurge",
}

// walk replaces the strings of a part of a spec. key is the field that it stands in.
func (n *namer) walk(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return n.walkMap(key, v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = n.walk(key, v[i])
		}
		return out
	case string:
		if v == "" || number(v) || slices.Contains(keptWords, key) {
			return v
		}
		return n.name(v)
	}
	return v
}

func (n *namer) walkMap(key string, in map[string]any) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		text, isText := v.(string)
		switch {
		case k == "annotations": // none decides, and they say much
		case key == "requests" || key == "limits":
			out[k] = v
		case slices.Contains(labelMaps, key) && isText:
			out[n.labelKey(k)] = n.labelValue(k, text)
		case k == "priorityClassName" && strings.HasPrefix(text, "system-"):
			out[k] = v
		case in["key"] != nil:
			out[k] = n.keyed(fmt.Sprint(in["key"]), k, v)
		default:
			out[k] = n.walk(k, v)
		}
	}
	return out
}

// labelMaps are fields that hold labels by name.
var labelMaps = []string{"labels", "matchLabels", "nodeSelector"}

// keyed is a field of a toleration, or of a requirement, that is about a label, a taint, or a node's name.
func (n *namer) keyed(key, field string, v any) any {
	text, isText := v.(string)
	switch {
	case field == "key" && key == metav1.ObjectNameField:
		return v
	case field == "key" && isText:
		return n.labelKey(text)
	case field == "value" && isText:
		return n.labelValue(key, text)
	case field == "values":
		return n.values(key, v)
	}
	return n.walk(field, v)
}

func (n *namer) values(key string, v any) any {
	list, ok := v.([]any)
	if !ok {
		return n.walk("values", v)
	}
	out := make([]any, len(list))
	for i := range list {
		if text, ok := list[i].(string); ok {
			out[i] = n.labelValue(key, text)
		} else {
			out[i] = list[i]
		}
	}
	return out
}
