package snapshot

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Redact gives a copy in which names, labels, images, commands and environment are replaced, the same by the same, so that
// selectors still match, equal revisions stay equal, and nodes keep their order. What stays: numbers, well-known
// Kubernetes words, UIDs, times, and the plain words of messages.
func Redact(s *Snapshot) (*Snapshot, error) {
	n := newNamer(s)
	out := &Snapshot{Taken: s.Taken, Server: s.Server, Redacted: true}
	for i := range s.Nodes {
		out.Nodes = append(out.Nodes, n.node(&s.Nodes[i]))
	}
	for _, ds := range s.DaemonSets {
		changed, err := n.daemonSet(ds)
		if err != nil {
			return nil, err
		}
		out.DaemonSets = append(out.DaemonSets, changed)
	}
	for _, r := range s.Revisions {
		changed, err := n.revision(r)
		if err != nil {
			return nil, err
		}
		out.Revisions = append(out.Revisions, changed)
	}
	for i := range s.Pods {
		out.Pods = append(out.Pods, n.pod(&s.Pods[i]))
	}
	for _, e := range s.Events {
		e.Namespace, e.Name, e.Message = n.name(e.Namespace), n.name(e.Name), n.text(e.Message)
		out.Events = append(out.Events, e)
	}
	for _, l := range s.Leases {
		l.Namespace, l.Holder = n.name(l.Namespace), n.text(l.Holder)
		out.Leases = append(out.Leases, l)
	}
	for _, q := range s.Quotas {
		out.Quotas = append(out.Quotas, n.quota(q))
	}
	for _, m := range s.Missing {
		m.Namespace = n.name(m.Namespace)
		out.Missing = append(out.Missing, m)
	}
	out.Live = n.live(s.Live)
	return out, nil
}

func (n *namer) quota(in *corev1.ResourceQuota) *corev1.ResourceQuota {
	out := in.DeepCopy()
	out.Namespace, out.Name = n.name(in.Namespace), n.name(in.Name)
	return out
}

func (n *namer) node(in *Node) Node {
	out := *in
	out.Name, out.Labels, out.Message = n.name(in.Name), n.labels(in.Labels), n.text(in.Message)
	out.Taints = slices.Clone(in.Taints)
	for i := range out.Taints {
		t := &out.Taints[i]
		t.Value = n.labelValue(t.Key, t.Value)
		t.Key = n.labelKey(t.Key)
	}
	return out
}

func (n *namer) pod(in *Pod) Pod {
	out := *in
	out.Namespace, out.Name, out.Labels = n.name(in.Namespace), n.name(in.Name), n.labels(in.Labels)
	out.Node, out.Target = n.name(in.Node), n.name(in.Target)
	if in.Owner != nil {
		out.Owner = &Owner{UID: in.Owner.UID, Kind: in.Owner.Kind, Name: n.name(in.Owner.Name)}
	}
	out.Finalizers = nil
	for _, f := range in.Finalizers {
		out.Finalizers = append(out.Finalizers, n.labelKey(f))
	}
	if in.Why != nil {
		out.Why = &Why{Reason: in.Why.Reason, Message: n.text(in.Why.Message)}
	}
	out.Ready, out.Scheduled = n.condition(in.Ready), n.condition(in.Scheduled)
	out.Containers = slices.Clone(in.Containers)
	for i := range out.Containers {
		c := &out.Containers[i]
		c.Name, c.Message = n.name(c.Name), n.text(c.Message)
		if c.Last != nil {
			last := *c.Last
			last.Message = n.text(last.Message)
			c.Last = &last
		}
	}
	return out
}

func (n *namer) condition(in *Condition) *Condition {
	if in == nil {
		return nil
	}
	out := *in
	out.Message = n.text(in.Message)
	return &out
}

// keptAnnotation is the only one that decides.
const keptAnnotation = appsv1.DeprecatedTemplateGeneration

func (n *namer) labels(in map[string]string) map[string]string {
	if in == nil {
		return nil
	}
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[n.labelKey(k)] = n.labelValue(k, v)
	}
	return out
}

// known are label domains whose keys everybody has.
func known(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	if !found {
		return key == appsv1.ControllerRevisionHashLabelKey || key == "pod-template-generation"
	}
	for _, suffix := range []string{"kubernetes.io", "k8s.io", "everynode.dev"} {
		if domain == suffix || strings.HasSuffix(domain, "."+suffix) {
			return true
		}
	}
	return false
}

func (n *namer) labelKey(key string) string {
	if key == "" || known(key) {
		return key
	}
	return n.token("key", key)
}

// keptValues are those of labels that tell nothing about whose cluster it is.
var keptValues = []string{corev1.LabelOSStable, corev1.LabelArchStable, appsv1.ControllerRevisionHashLabelKey, "pod-template-generation"}

func (n *namer) labelValue(key, value string) string {
	switch {
	case value == "" || value == "true" || value == "false" || number(value) || slices.Contains(keptValues, key):
		return value
	}
	return n.name(value)
}

// number tells digits, with a percent sign perhaps.
func number(s string) bool {
	s = strings.TrimSuffix(s, "%")
	return s != "" && strings.Trim(s, "0123456789") == ""
}
