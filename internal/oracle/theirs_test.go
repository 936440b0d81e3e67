package oracle

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// theirs is upstream's answer to a scene.
type theirs struct {
	manage step
	// rollout is what rollingUpdate asked for. It did not run in the first sync if manage had something to do; then this is
	// what it asked for in the first later sync that had not, and late is set.
	rollout           step
	late              bool
	adopted, released map[string]bool
	status            appsv1.DaemonSetStatus
	wrote             bool
}

// maxSyncs is enough for manage to have nothing more to do: it deletes what has failed, then makes a successor.
const maxSyncs = 6

// ask lets upstream sync a scene's DaemonSet, and, if manage kept rollingUpdate from running, again with what manage asked for
// done, until it runs.
func (u *upstream) ask(s *scene, status appsv1.DaemonSetStatus) (*theirs, error) {
	w := s.world()
	w.ds.Status = *status.DeepCopy()
	u.rest(epoch, s.backoffKeys(w.ds))
	if err := u.once(w); err != nil {
		return nil, err
	}
	out := &theirs{
		adopted: u.calls.adopted, released: u.calls.released,
		status: u.server.ds.Status, wrote: u.server.statusWrites > 0,
	}
	if len(u.calls.steps) == 0 {
		return out, nil
	}
	out.manage = u.calls.steps[0]
	for n := 1; s.rolling(); n++ {
		if len(u.calls.steps) == 2 {
			out.rollout = u.calls.steps[1]
			return out, nil
		}
		if n == maxSyncs {
			return nil, fmt.Errorf("upstream is not done after %d syncs: %v", n, u.calls.steps)
		}
		out.late = true
		w = w.after(u.calls)
		if err := u.once(w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// backoffKeys are upstream's names for the nodes where a failed Pod waits.
func (s *scene) backoffKeys(ds *appsv1.DaemonSet) []string {
	var out []string
	for _, node := range s.backoff {
		out = append(out, fmt.Sprintf("%s/%d/%s", ds.UID, ds.Status.ObservedGeneration, node))
	}
	return out
}

func (u *upstream) once(w *world) error {
	u.load(w)
	u.calls.reset()
	return u.sync(u.ctx, w.key())
}

// after is the world once the calls of a sync are done: a Pod that is bound ends for a while, one that is not is gone at once.
func (w *world) after(c *calls) *world {
	out := *w
	out.pods = nil
	done := c.steps[0]
	for _, p := range w.pods {
		if done.deletes[p.Name] {
			if p.Spec.NodeName == "" {
				continue
			}
			p = p.DeepCopy()
			p.DeletionTimestamp = ptr.To(metav1.NewTime(epoch))
		}
		switch {
		case c.adopted[p.Name]:
			p = p.DeepCopy()
			p.OwnerReferences = w.owner()
		case c.released[p.Name]:
			p = p.DeepCopy()
			p.OwnerReferences = nil
		}
		out.pods = append(out.pods, p)
	}
	for node, template := range done.creates {
		out.pods = append(out.pods, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: "made-for-" + node, Namespace: w.ds.Namespace, UID: types.UID("uid-made-for-" + node),
				Labels: template.Labels, CreationTimestamp: metav1.NewTime(epoch), OwnerReferences: w.owner(),
			},
			Spec:   template.Spec,
			Status: corev1.PodStatus{Phase: corev1.PodPending},
		})
	}
	slices.SortFunc(out.pods, func(a, b *corev1.Pod) int { return olderPod(a, b) })
	return &out
}

func (w *world) owner() []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(w.ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))}
}
