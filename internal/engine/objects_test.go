package engine

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/revision"
)

func (s *story) node(words []string) {
	var names []string
	proto := corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"kubernetes.io/os": "linux"}}}
	proto.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourcePods: resource.MustParse("110")}
	proto.Status.Conditions = nodeReady(true)
	for _, word := range words {
		key, value, found := strings.Cut(word, "=")
		switch {
		case word == "cordon":
			proto.Spec.Unschedulable = true
			proto.Spec.Taints = append(proto.Spec.Taints, taint(corev1.TaintNodeUnschedulable+":NoSchedule"))
		case !found:
			names = append(names, word)
		case key == "zone":
			proto.Labels[corev1.LabelTopologyZone] = value
		case key == "label":
			k, v, _ := strings.Cut(value, ":")
			proto.Labels[k] = v
		case key == "taint":
			proto.Spec.Taints = append(proto.Spec.Taints, taint(value))
		default:
			proto.Status.Allocatable[corev1.ResourceName(key)] = resource.MustParse(value)
		}
	}
	for _, name := range names {
		n := proto.DeepCopy()
		n.Name = name
		if n.Labels[corev1.LabelHostname] == "" {
			n.Labels[corev1.LabelHostname] = name
		}
		s.w.changeNode(n)
	}
}

func nodeReady(yes bool) []corev1.NodeCondition {
	status := corev1.ConditionUnknown
	if yes {
		status = corev1.ConditionTrue
	}
	return []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
}

func taint(text string) corev1.Taint {
	i := strings.LastIndex(text, ":")
	return corev1.Taint{Key: text[:i], Effect: corev1.TaintEffect(text[i+1:])}
}

func (s *story) changeNode(what string, args []string) {
	if what == "node-off" {
		for _, name := range args {
			s.w.removeNode(name)
		}
		return
	}
	n := s.w.nodes[args[0]].DeepCopy()
	switch what {
	case "taint":
		n.Spec.Taints = append(n.Spec.Taints, taint(args[1]))
	case "untaint":
		n.Spec.Taints = nil
	case "label":
		k, v, _ := strings.Cut(args[1], "=")
		n.Labels[k] = v
	case "grow":
		k, v, _ := strings.Cut(args[1], "=")
		n.Status.Allocatable[corev1.ResourceName(k)] = resource.MustParse(v)
	}
	s.w.changeNode(n)
}

// daemonSet creates a DaemonSet or changes its spec, with the API server's counting of generations.
func (s *story) daemonSet(name string, words []string) {
	old := s.w.sets[name]
	ds := newDaemonSet(name)
	if old != nil {
		ds = old.DeepCopy()
	}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		s.setField(ds, key, value)
	}
	if old == nil {
		ds.Generation = 1
		ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "1"}
	} else if !equality.Semantic.DeepEqual(old.Spec, ds.Spec) {
		ds.Generation++
		if !equality.Semantic.DeepEqual(old.Spec.Template, ds.Spec.Template) {
			n := s.number(ds.Annotations[appsv1.DeprecatedTemplateGeneration])
			ds.Annotations[appsv1.DeprecatedTemplateGeneration] = fmt.Sprint(n + 1)
		}
	}
	s.w.changeSet(ds)
}

func newDaemonSet(name string) *appsv1.DaemonSet {
	l := map[string]string{"app": name}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: appsv1.DaemonSetSpec{
			Selector:             &metav1.LabelSelector{MatchLabels: l},
			RevisionHistoryLimit: ptr.To(int32(10)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: l},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "v1"}}},
			},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type:          appsv1.RollingUpdateDaemonSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: ptr.To(intstr.FromInt32(1)), MaxSurge: ptr.To(intstr.FromInt32(0))},
			},
		},
	}
}

func (s *story) setField(ds *appsv1.DaemonSet, key, value string) {
	spec := &ds.Spec.Template.Spec
	c := &spec.Containers[0]
	switch key {
	case "image":
		c.Image = value
	case "unavailable":
		ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = ptr.To(intstr.Parse(value))
	case "surge":
		ds.Spec.UpdateStrategy.RollingUpdate.MaxSurge = ptr.To(intstr.Parse(value))
	case "strategy":
		ds.Spec.UpdateStrategy.Type = appsv1.DaemonSetUpdateStrategyType(value)
	case "min-ready":
		ds.Spec.MinReadySeconds = int32(s.duration(value).Seconds())
	case "history":
		ds.Spec.RevisionHistoryLimit = ptr.To(int32(s.number(value)))
	case "select":
		k, v, _ := strings.Cut(value, ":")
		spec.NodeSelector = map[string]string{k: v}
	case "tolerate":
		spec.Tolerations = nil
		if value != "" {
			spec.Tolerations = []corev1.Toleration{{Key: value, Operator: corev1.TolerationOpExists}}
		}
	case "not-ready-seconds":
		spec.Tolerations = append(spec.Tolerations, corev1.Toleration{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To(s.number(value))})
	case "affinity":
		k, v, _ := strings.Cut(value, ":")
		spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: k, Operator: corev1.NodeSelectorOpIn, Values: strings.Split(v, ",")}},
			}}},
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 1}},
		}}
	case "host-network":
		spec.HostNetwork = value == "true"
	case "port":
		c.Ports = []corev1.ContainerPort{{HostPort: int32(s.number(value)), ContainerPort: int32(s.number(value)), Protocol: corev1.ProtocolTCP}}
	case "container-port":
		c.Ports = []corev1.ContainerPort{{ContainerPort: int32(s.number(value)), Protocol: corev1.ProtocolTCP}}
	case "cpu":
		c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(value)}
	case "cpu-limit":
		c.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(value)}
	case "app":
		ds.Spec.Selector.MatchLabels = map[string]string{"app": value}
		ds.Spec.Template.Labels = map[string]string{"app": value}
	default:
		s.t.Fatalf("unknown field %q of DaemonSet %s", key, ds.Name)
	}
}

// pod makes a Pod that no DaemonSet made: pod NAME NODE [owner=K/NAME] [label=K:V] [cpu=] [port=] [phase=] [terminating]
func (s *story) pod(words []string) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: words[0], Namespace: "default"}}
	p.Spec.NodeName = words[1]
	p.Spec.Containers = []corev1.Container{{Name: "c", Image: "foreign"}}
	p.Status.Phase = corev1.PodRunning
	c := &p.Spec.Containers[0]
	for _, word := range words[2:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "owner":
			kind, name, _ := strings.Cut(value, "/")
			p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name, UID: "uid-foreign", Controller: ptr.To(true)}}
		case "label":
			k, v, _ := strings.Cut(value, ":")
			p.Labels = map[string]string{k: v}
		case "image":
			c.Image = value
		case "like": // the Pod that this DaemonSet would make, but of nobody
			p.Labels = map[string]string{"app": value, appsv1.DefaultDaemonSetUniqueLabelKey: revision.Hash(&newDaemonSet(value).Spec.Template, nil)}
			setReady(p, true, s.w.now)
		case "cpu":
			c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(value)}
		case "port":
			ip, rest, found := strings.Cut(value, ":")
			if !found {
				ip, rest = "", value
			}
			port, proto, found := strings.Cut(rest, "/")
			if !found {
				proto = "TCP"
			}
			c.Ports = []corev1.ContainerPort{{HostIP: ip, HostPort: int32(s.number(port)), Protocol: corev1.Protocol(proto)}}
		case "phase":
			p.Status.Phase = corev1.PodPhase(value)
		case "terminating":
			p.DeletionTimestamp = ptr.To(metav1.NewTime(s.w.now))
		default:
			s.t.Fatalf("unknown word %q of Pod %s", word, p.Name)
		}
	}
	s.w.touch(p)
	s.w.pods[p.Name] = p
	s.w.tellPod(p)
	if p.DeletionTimestamp != nil {
		s.w.later(s.w.grace, func() { s.w.removePod(p) })
	}
}

// orphan deletes a DaemonSet and leaves its Pods and revisions to nobody, as the garbage collector does (U243).
func (s *story) orphan(name string) {
	ds := s.w.sets[name]
	for _, p := range sorted(s.w.pods) {
		if metav1.IsControlledBy(p, ds) {
			s.w.changePod(p, func(p *corev1.Pod) { p.OwnerReferences = nil })
		}
	}
	for _, r := range sorted(s.w.revisions) {
		if metav1.IsControlledBy(r, ds) {
			r = r.DeepCopy()
			r.OwnerReferences = nil
			s.w.touch(r)
			s.w.revisions[r.Name] = r
			s.w.core.Fleet.ApplyRevision(r.DeepCopy(), s.w.version(r))
		}
	}
	s.w.removeSet(ds)
}

// serverDefault makes the API server show, or no longer show, a new defaulted field of the template; generation and
// resourceVersion of the stored object stay, but every read has it.
func (s *story) serverDefault(name, on string) {
	ds := s.w.sets[name].DeepCopy()
	ds.Spec.Template.Spec.SetHostnameAsFQDN = nil
	if on == "on" {
		ds.Spec.Template.Spec.SetHostnameAsFQDN = ptr.To(false)
	}
	s.w.changeSet(ds)
}

// deleteForeground sets deletionTimestamp as a foreground deletion does, which counts the generation up (U275).
func (s *story) deleteForeground(name string) {
	ds := s.w.sets[name].DeepCopy()
	ds.DeletionTimestamp = ptr.To(metav1.NewTime(s.w.now))
	ds.Finalizers = []string{metav1.FinalizerDeleteDependents}
	ds.Generation++
	s.w.changeSet(ds)
}

// foreignRevision puts an object of other data where the revision of the DaemonSet with that image would be.
func (s *story) foreignRevision(name, image string) {
	ds := s.w.sets[name].DeepCopy()
	ds.Spec.Template.Spec.Containers[0].Image = image
	rev, err := revision.New(ds, 7)
	if err != nil {
		s.t.Fatal(err)
	}
	rev.OwnerReferences, rev.Labels = nil, map[string]string{"other": "thing"}
	rev.Data.Raw = []byte(`{"other":"data"}`)
	s.w.touch(rev)
	s.w.revisions[rev.Name] = rev
	s.w.core.Fleet.ApplyRevision(rev.DeepCopy(), s.w.version(rev))
}

// changePods changes a daemon's Pods on a node, as a user or a kubelet would.
func (s *story) changePods(what string, args []string) {
	for _, p := range s.w.onNode(args[0], args[1]) {
		switch what {
		case "pod-delete":
			s.w.terminate(p, false)
		case "pod-phase":
			s.w.changePod(p, func(p *corev1.Pod) {
				p.Status = corev1.PodStatus{Phase: corev1.PodPhase(args[2])}
				if len(args) > 3 {
					p.Status.Reason = args[3]
				}
			})
		case "pod-unready":
			if p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
				continue // what has ended does not run again
			}
			s.w.changePod(p, func(p *corev1.Pod) { setReady(p, false, s.w.now) })
		case "pod-label":
			k, v, _ := strings.Cut(args[2], "=")
			s.w.changePod(p, func(p *corev1.Pod) { p.Labels[k] = v })
		case "pod-finalizer":
			s.w.changePod(p, func(p *corev1.Pod) { p.Finalizers = []string{"example.com/hold"} })
		case "pod-unhold":
			s.w.changePod(p, func(p *corev1.Pod) { p.Finalizers = nil })
			if q := s.w.pods[p.Name]; q.DeletionTimestamp != nil {
				s.w.removePod(q)
			}
		}
	}
}
