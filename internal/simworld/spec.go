package simworld

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/revision"
)

func (w *World) podStep(k StepKind, d dice) {
	pods := w.pods()
	if len(pods) == 0 {
		return
	}
	p := pods[d.roll(80, len(pods))]
	next := p.DeepCopy()
	running := p.Status.Phase == corev1.PodRunning && !w.kubelets.mute[p.Spec.NodeName]
	switch k {
	case StepPodDeleted:
		if err := w.API.DeletePod("user", p.Namespace, p.Name, metav1.DeleteOptions{}); err != nil {
			panic(err)
		}
		return
	case StepPodFails, StepPodSucceeds:
		if running {
			phase := map[StepKind]corev1.PodPhase{StepPodFails: corev1.PodFailed, StepPodSucceeds: corev1.PodSucceeded}[k]
			w.kubelets.status(p, func(s *corev1.PodStatus) { *s = corev1.PodStatus{Phase: phase, Reason: "Error"} })
		}
		return
	case StepPodUnready:
		if running {
			w.kubelets.setReady(p.Namespace, p.Name, p.UID, false)
			w.later(d.between(81, time.Second, 20*time.Second), func() { w.kubelets.setReady(p.Namespace, p.Name, p.UID, true) })
		}
		return
	case StepPodHeld:
		next.Finalizers = []string{"example.com/hold"}
		w.later(d.between(82, time.Second, time.Minute), func() { w.release(p) })
	case StepPodOrphaned:
		next.OwnerReferences = nil
	case StepPodRelabelled:
		next.Labels["app"] = "other"
	case StepPodAdopted:
		next.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "thief", UID: "uid-thief", Controller: ptr.To(true)}}
	case StepHashEdited:
		next.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = "edited"
	}
	if _, err := w.API.UpdatePod("user", next); err != nil {
		w.trace("left", "user", p.Name, err.Error(), 0) // no finalizer is added to what is being deleted
	}
}

// release takes a Pod's finalizers off.
func (w *World) release(p *corev1.Pod) {
	live, err := w.API.GetPod(p.Namespace, p.Name)
	if err != nil || live.UID != p.UID || len(live.Finalizers) == 0 {
		return
	}
	next := live.DeepCopy()
	next.Finalizers = nil
	w.must(w.API.UpdatePod("user", next))
}

func daemonName(i int) string { return string(rune('d' + i)) }

// newDaemonSet is a DaemonSet with all that the server's defaulting gives.
func (w *World) newDaemonSet(i int) *appsv1.DaemonSet {
	l := map[string]string{"app": daemonName(i)}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: daemonName(i), Namespace: "default", Labels: map[string]string{"made": "by-user"}},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: l}, RevisionHistoryLimit: ptr.To(int32(3)), MinReadySeconds: w.Setup.MinReady,
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: l},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "v0"}}, TerminationGracePeriodSeconds: ptr.To(int64(30))},
			},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: rolling(w.Setup.Surge, intstr.FromInt32(1))},
		},
	}
	if w.Setup.OnDelete {
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
	}
	return ds
}

func rolling(surge bool, n intstr.IntOrString) *appsv1.RollingUpdateDaemonSet {
	zero := intstr.FromInt32(0)
	if surge {
		return &appsv1.RollingUpdateDaemonSet{MaxSurge: &n, MaxUnavailable: &zero}
	}
	return &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &n, MaxSurge: &zero}
}

func (w *World) specStep(k StepKind, d dice) {
	i := d.roll(90, w.Setup.Daemons)
	ds, err := w.API.GetDaemonSet("default", daemonName(i))
	if err != nil {
		w.create(i)
		return
	}
	next := ds.DeepCopy()
	spec := &next.Spec.Template.Spec
	switch k {
	case StepTemplate:
		spec.Containers[0].Image = fmt.Sprintf("v%d", d.roll(91, 5))
		w.placement(spec, d)
	case StepBadTemplate:
		spec.Containers[0].Image = []string{"bad1", "bad2", "flaky1"}[d.roll(92, 3)]
	case StepTemplateBack:
		spec.Containers[0].Image = "v0"
	case StepStrategy:
		w.strategy(next, d)
	case StepDeleteSet, StepOrphanSet, StepForegroundSet:
		w.deleteSet(ds, k)
		w.later(d.between(93, 0, 10*time.Second), func() { w.create(i) })
		return
	case StepRevisionDeleted, StepRevisionEdited, StepRevisionTaken:
		w.revisionStep(k, ds, d)
		return
	case StepWait:
		w.remark(next, d)
		return
	default:
		return
	}
	w.must(w.API.UpdateDaemonSet("user", next))
}

// remark has somebody else write a condition of their own into a DaemonSet's status.
func (w *World) remark(ds *appsv1.DaemonSet, d dice) {
	if !w.has(ThirdParty) {
		return
	}
	w.hit(ThirdParty)
	const theirs = "example.com/Approved"
	ds.Status.Conditions = slices.DeleteFunc(ds.Status.Conditions, func(c appsv1.DaemonSetCondition) bool { return c.Type == theirs })
	ds.Status.Conditions = append(ds.Status.Conditions, appsv1.DaemonSetCondition{
		Type: theirs, Status: []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionFalse}[d.roll(105, 2)], Reason: "Reviewed", LastTransitionTime: metav1.NewTime(w.now),
	})
	w.must(w.API.UpdateDaemonSetStatus("user", ds))
}

// placement changes at times where the daemon runs.
func (w *World) placement(spec *corev1.PodSpec, d dice) {
	switch d.roll(94, 8) {
	case 0:
		spec.NodeSelector = map[string]string{"pool": "a"}
	case 1:
		spec.NodeSelector = nil
	case 2:
		spec.Tolerations = []corev1.Toleration{{Key: "x", Operator: corev1.TolerationOpExists}}
	case 3:
		spec.Tolerations = nil
	}
}

func (w *World) strategy(ds *appsv1.DaemonSet, d dice) {
	n := intstr.FromInt32(int32(1 + d.roll(95, 3)))
	if d.chance(96, 3) {
		n = intstr.FromString([]string{"10%", "34%", "50%", "100%"}[d.roll(97, 4)])
	}
	ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: rolling(d.chance(98, 3), n)}
	if d.chance(99, 6) {
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
	}
	ds.Spec.MinReadySeconds = int32(d.roll(100, 3) * 3)
}

func (w *World) create(i int) {
	if _, err := w.API.CreateDaemonSet("user", w.newDaemonSet(i)); err != nil {
		w.trace("left", "user", daemonName(i), err.Error(), 0)
		w.later(2*time.Second, func() { // the old one still ends, or the namespace is closed
			if _, err := w.API.GetDaemonSet("default", daemonName(i)); err != nil {
				w.create(i)
			} else if w.API.Closing["default"] || w.daemonDeleting(i) {
				w.create(i)
			}
		})
	}
}

func (w *World) daemonDeleting(i int) bool {
	ds, err := w.API.GetDaemonSet("default", daemonName(i))
	return err == nil && ds.DeletionTimestamp != nil
}

func (w *World) deleteSet(ds *appsv1.DaemonSet, k StepKind) {
	policy := map[StepKind]metav1.DeletionPropagation{
		StepDeleteSet: metav1.DeletePropagationBackground, StepOrphanSet: metav1.DeletePropagationOrphan, StepForegroundSet: metav1.DeletePropagationForeground,
	}[k]
	if err := w.API.DeleteDaemonSet("user", ds.Namespace, ds.Name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		panic(err)
	}
}

func (w *World) revisionStep(k StepKind, ds *appsv1.DaemonSet, d dice) {
	if k == StepRevisionTaken {
		next := ds.DeepCopy()
		next.Spec.Template.Spec.Containers[0].Image = fmt.Sprintf("v%d", d.roll(101, 5))
		r, err := revision.New(next, 1)
		if err != nil {
			panic(err)
		}
		r.OwnerReferences, r.Labels, r.Data.Raw = nil, map[string]string{"other": "thing"}, []byte(`{"other":"data"}`)
		if _, err := w.API.CreateRevision("user", r); err != nil {
			w.trace("left", "user", r.Name, err.Error(), 0)
		}
		return
	}
	list := w.revisions()
	if len(list) == 0 {
		return
	}
	r := list[d.roll(102, len(list))]
	if k == StepRevisionDeleted {
		if err := w.API.DeleteRevision("user", r.Namespace, r.Name, metav1.DeleteOptions{}); err != nil {
			panic(err)
		}
		return
	}
	next := r.DeepCopy()
	switch d.roll(103, 3) {
	case 0:
		next.Revision = max(0, next.Revision+int64(d.roll(104, 5))-2)
	case 1:
		next.OwnerReferences = nil
	default:
		delete(next.Labels, appsv1.DefaultDaemonSetUniqueLabelKey)
	}
	w.must(w.API.UpdateRevision("user", next))
}
