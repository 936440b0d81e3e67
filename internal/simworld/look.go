package simworld

import (
	"slices"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corehelpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// must is for writes of actors that read the object in the same moment: they cannot fail.
func (w *World) must(_ any, err error) {
	if err != nil {
		panic(err)
	}
}

func (w *World) all(k apimodel.Kind) []metav1.Object {
	list, _ := w.API.List(k)
	return list
}

func (w *World) pods() []*corev1.Pod   { return typed[*corev1.Pod](w.all(apimodel.Pods)) }
func (w *World) nodes() []*corev1.Node { return typed[*corev1.Node](w.all(apimodel.Nodes)) }
func (w *World) sets() []*appsv1.DaemonSet {
	return typed[*appsv1.DaemonSet](w.all(apimodel.DaemonSets))
}

func (w *World) revisions() []*appsv1.ControllerRevision {
	return typed[*appsv1.ControllerRevision](w.all(apimodel.Revisions))
}

func typed[O metav1.Object](list []metav1.Object) []O {
	out := make([]O, len(list))
	for i, o := range list {
		out[i] = o.(O)
	}
	return out
}

func (w *World) daemonByUID(uid types.UID) *appsv1.DaemonSet {
	for _, ds := range w.sets() {
		if ds.UID == uid {
			return ds
		}
	}
	return nil
}

// dependents are the Pods and revisions that have a controller.
func (w *World) dependents() []metav1.Object {
	out := slices.Concat(w.all(apimodel.Pods), w.all(apimodel.Revisions))
	return slices.DeleteFunc(out, func(o metav1.Object) bool { return metav1.GetControllerOf(o) == nil })
}

func sortedUIDs(set map[types.UID]bool) []types.UID {
	out := make([]types.UID, 0, len(set))
	for uid := range set {
		out = append(out, uid)
	}
	slices.Sort(out)
	return out
}

func isReady(p *corev1.Pod) bool {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// live tells that a Pod neither ends nor has ended.
func live(p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded
}

// nodeOf is the node that a Pod is bound to or waits for.
func nodeOf(p *corev1.Pod) string {
	if p.Spec.NodeName != "" {
		return p.Spec.NodeName
	}
	on, _ := match.Target(&p.Spec)
	return on
}

// tolerates tells whether a Pod may start on a node whose taints are these.
func tolerates(p *corev1.Pod, n *corev1.Node) bool {
	_, untolerated := corehelpers.FindMatchingUntoleratedTaint(quiet, n.Spec.Taints, p.Spec.Tolerations, func(t *corev1.Taint) bool {
		return t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
	}, true)
	return !untolerated
}

// may tells, with upstream's helpers and not with our own, whether a DaemonSet's Pod starts on a node, and whether one that
// runs there stays.
func may(ds *appsv1.DaemonSet, n *corev1.Node) (start, stay bool) {
	p := &corev1.Pod{Spec: ds.Spec.Template.Spec}
	p.Spec.Tolerations = append(slices.Clone(p.Spec.Tolerations), everyDaemonTolerates...)
	if ok, err := nodeaffinity.GetRequiredNodeAffinity(p).Match(n); err != nil || !ok {
		return false, false
	}
	for i := range n.Spec.Taints {
		if n.Spec.Taints[i].Effect != corev1.TaintEffectNoExecute {
			continue
		}
		if !tolerates(p, &corev1.Node{Spec: corev1.NodeSpec{Taints: n.Spec.Taints[i : i+1]}}) {
			return false, false
		}
	}
	return tolerates(p, n), true
}

// everyDaemonTolerates are the taints of nodes in trouble (U020–U025).
var everyDaemonTolerates = []corev1.Toleration{
	{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
	{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
	{Key: corev1.TaintNodeDiskPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
	{Key: corev1.TaintNodeMemoryPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
	{Key: corev1.TaintNodePIDPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
	{Key: corev1.TaintNodeUnschedulable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
}

var quiet = logr.Discard()
