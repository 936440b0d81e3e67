package model

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// held is a finalizer that nobody takes off but the sequences.
const held = "example.com/held"

// stranger is a UID that nobody has.
const stranger = types.UID("00000000-0000-0000-0000-000000000000")

func plainPod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "plain"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.example.com/daemon:1"}}},
	}
}

func revision(namespace, name string, n int64) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "plain"}},
		Data:       runtime.RawExtension{Raw: fmt.Appendf(nil, `{"spec":{"n":%d}}`, n)}, Revision: n,
	}
}

func node(name string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
}

func quota(n int) *corev1.ResourceQuota {
	hard := corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(int64(n), resource.DecimalSI)}
	used := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	return &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used},
	}
}

// change is something that an update does to an object. owner is a DaemonSet's slot.
type change[O metav1.Object] struct {
	text string
	do   func(s *side, o O)
}

// metadata are the changes that any object can have.
func metadata[O metav1.Object](r *run) []change[O] {
	value := fmt.Sprint(r.dice.IntN(3))
	owner := r.daemon()
	label := func(_ *side, o O) {
		l := map[string]string{"x": value}
		for k, v := range o.GetLabels() {
			if k != "x" {
				l[k] = v
			}
		}
		o.SetLabels(l)
	}
	return []change[O]{
		{"nothing", func(*side, O) {}},
		{"label x=" + value, label},
		{"label x=" + value, label},
		{"no label x", func(_ *side, o O) { l := o.GetLabels(); delete(l, "x"); o.SetLabels(l) }},
		{"annotation x=" + value, func(_ *side, o O) {
			a := o.GetAnnotations()
			if a == nil {
				a = map[string]string{}
			}
			a["x"] = value
			o.SetAnnotations(a)
		}},
		{"a finalizer", func(_ *side, o O) {
			if !slices.Contains(o.GetFinalizers(), held) {
				o.SetFinalizers(append(o.GetFinalizers(), held))
			}
		}},
		{"no finalizers", func(_ *side, o O) { o.SetFinalizers(nil) }},
		{"no finalizers", func(_ *side, o O) { o.SetFinalizers(nil) }},
		{"owner " + owner.name, func(s *side, o O) { o.SetOwnerReferences([]metav1.OwnerReference{s.ref(owner, true)}) }},
		{"no owner", func(_ *side, o O) { o.SetOwnerReferences(nil) }},
		{"one more owner, a controller", func(s *side, o O) {
			ref := s.ref(owner, true)
			ref.UID, ref.Name = stranger, "stranger"
			o.SetOwnerReferences(append(o.GetOwnerReferences(), ref))
		}},
		{"an owner without UID", func(s *side, o O) {
			ref := s.ref(owner, false)
			ref.UID = ""
			o.SetOwnerReferences([]metav1.OwnerReference{ref})
		}},
		{"generation 77", func(_ *side, o O) { o.SetGeneration(77) }},
	}
}

// preconditions are what an update says of the state that it was made from.
func preconditions[O metav1.Object](r *run) change[O] {
	all := []change[O]{
		{"without version", func(_ *side, o O) { o.SetResourceVersion("") }},
		{"without version and UID", func(_ *side, o O) { o.SetResourceVersion(""); o.SetUID("") }},
		{"with a stranger's UID", func(_ *side, o O) { o.SetUID(stranger) }},
		{"with a stranger's UID, without version", func(_ *side, o O) { o.SetUID(stranger); o.SetResourceVersion("") }},
	}
	if r.dice.IntN(5) < 3 {
		return change[O]{"", func(*side, O) {}}
	}
	return all[r.dice.IntN(len(all))]
}

// ref is a reference to a DaemonSet as this side has it.
func (s *side) ref(o slot, controller bool) metav1.OwnerReference {
	ref := metav1.OwnerReference{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "DaemonSet", Name: o.name, UID: stranger, BlockOwnerDeletion: &controller}
	if controller {
		ref.Controller = &controller
	}
	if last := s.last(o); last != nil {
		ref.UID = last.GetUID()
	}
	return ref
}

func podChanges(r *run) []change[*corev1.Pod] {
	n := r.dice.IntN(3)
	return append(metadata[*corev1.Pod](r),
		change[*corev1.Pod]{fmt.Sprintf("image %d", n), func(_ *side, p *corev1.Pod) {
			p.Spec.Containers[0].Image = fmt.Sprintf("registry.example.com/daemon:%d", n)
		}},
		change[*corev1.Pod]{"a toleration", func(_ *side, p *corev1.Pod) {
			p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{Key: fmt.Sprint("k", n), Operator: corev1.TolerationOpExists})
		}},
		change[*corev1.Pod]{"a phase, which an update may not", func(_ *side, p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }},
	)
}

func podStatusChanges(r *run) []change[*corev1.Pod] {
	phase := []corev1.PodPhase{corev1.PodPending, corev1.PodRunning, corev1.PodRunning, corev1.PodFailed, corev1.PodSucceeded}[r.dice.IntN(5)]
	ready := []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionFalse}[r.dice.IntN(2)]
	set := change[*corev1.Pod]{fmt.Sprintf("%s, Ready %s", phase, ready), func(_ *side, p *corev1.Pod) {
		p.Status.Phase = phase
		p.Status.Conditions = slices.DeleteFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady })
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: ready})
	}}
	reject := change[*corev1.Pod]{"rejected", func(_ *side, p *corev1.Pod) {
		p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "OutOfcpu", "no room"
	}}
	image := change[*corev1.Pod]{"an image, which a status may not", func(_ *side, p *corev1.Pod) { p.Spec.Containers[0].Image = "other" }}
	return append(metadata[*corev1.Pod](r), set, set, set, set, set, set, set, set, reject, image)
}

func daemonChanges(r *run) []change[*appsv1.DaemonSet] {
	n, limit := r.dice.IntN(3), r.dice.Int32N(1_000_000)
	c := func(text string, do func(ds *appsv1.DaemonSet)) change[*appsv1.DaemonSet] {
		return change[*appsv1.DaemonSet]{text, func(_ *side, ds *appsv1.DaemonSet) { do(ds) }}
	}
	image := c(fmt.Sprintf("image %d", n), func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Containers[0].Image = fmt.Sprintf("registry.example.com/daemon:%d", n)
	})
	return append(metadata[*appsv1.DaemonSet](r), image, image, image,
		c("template annotation", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Annotations = map[string]string{"n": fmt.Sprint(n)} }),
		c("template label that goes with the selector", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Labels["more"] = fmt.Sprint(n) }),
		c("template labels that do not match", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Labels = map[string]string{"app": "other"} }),
		c("minReadySeconds", func(ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = int32(n) }),
		c("maxUnavailable", func(ds *appsv1.DaemonSet) {
			v := intstr.FromInt(n + 1)
			if u := ds.Spec.UpdateStrategy.RollingUpdate; u != nil {
				u.MaxUnavailable = &v
			}
		}),
		c("another selector", func(ds *appsv1.DaemonSet) {
			ds.Spec.Selector.MatchLabels["app"] = "other"
			ds.Spec.Template.Labels["app"] = "other"
		}),
		c("template generation by hand", func(ds *appsv1.DaemonSet) {
			if ds.Annotations == nil {
				ds.Annotations = map[string]string{}
			}
			ds.Annotations[appsv1.DeprecatedTemplateGeneration] = fmt.Sprint(5 + n)
		}),
		c("no annotations, limit "+fmt.Sprint(limit), func(ds *appsv1.DaemonSet) {
			ds.Annotations = nil // an annotation that the server puts back is a write of managedFields alone: left out
			ds.Spec.RevisionHistoryLimit = &limit
		}),
		c("a status, which an update may not", func(ds *appsv1.DaemonSet) { ds.Status.NumberReady = 99 }),
	)
}

func daemonStatusChanges(r *run) []change[*appsv1.DaemonSet] {
	n := int32(r.dice.IntN(3))
	set := change[*appsv1.DaemonSet]{fmt.Sprintf("numbers %d", n), func(_ *side, ds *appsv1.DaemonSet) {
		ds.Status.DesiredNumberScheduled, ds.Status.NumberReady, ds.Status.ObservedGeneration, ds.Status.CollisionCount = n, n, ds.Generation, &n
	}}
	spec := change[*appsv1.DaemonSet]{"a spec, which a status may not", func(_ *side, ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = 99 }}
	hand := change[*appsv1.DaemonSet]{"template generation by hand", func(_ *side, ds *appsv1.DaemonSet) {
		ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "55"}
		ds.Status.NumberUnavailable++ // a write of managedFields alone is left out
	}}
	return append(metadata[*appsv1.DaemonSet](r), set, set, set, set, set, set, spec, hand)
}

func revisionChanges(r *run) []change[*appsv1.ControllerRevision] {
	n := int64(r.dice.IntN(3))
	number := change[*appsv1.ControllerRevision]{fmt.Sprintf("number %d", n), func(_ *side, o *appsv1.ControllerRevision) { o.Revision = n }}
	data := change[*appsv1.ControllerRevision]{fmt.Sprintf("data %d", n), func(_ *side, o *appsv1.ControllerRevision) {
		o.Data.Raw = fmt.Appendf(nil, `{"spec":{"n":%d}}`, n)
	}}
	return append(metadata[*appsv1.ControllerRevision](r), number, number, number, data)
}

func nodeChanges(r *run) []change[*corev1.Node] {
	n := fmt.Sprint(r.dice.IntN(3))
	return append(metadata[*corev1.Node](r),
		change[*corev1.Node]{"taint " + n, func(_ *side, o *corev1.Node) {
			o.Spec.Taints = []corev1.Taint{{Key: "x", Value: n, Effect: corev1.TaintEffectNoSchedule}}
		}},
		change[*corev1.Node]{"unschedulable", func(_ *side, o *corev1.Node) { o.Spec.Unschedulable = !o.Spec.Unschedulable }},
	)
}

func nodeStatusChanges(r *run) []change[*corev1.Node] {
	status := []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionUnknown}[r.dice.IntN(2)]
	return []change[*corev1.Node]{{"Ready " + string(status), func(_ *side, o *corev1.Node) {
		o.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
	}}}
}

// daemon is the slot of a DaemonSet.
func (r *run) daemon() slot { return slot{apimodel.DaemonSets, fmt.Sprintf("d%d", r.dice.IntN(2))} }
