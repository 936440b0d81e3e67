package integration

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/revision"
	"github.com/everynode/everynode/test/harness"
)

// hashCollision: somebody's revision holds the name that the next template's will get. The collision is counted, the
// revision gets another name, and the rollout goes on.
func hashCollision(w *world) {
	w.node("single")
	w.daemonSet("foo")
	w.settles("foo", all(1))
	first := w.revisions("foo", 1)[0]
	taken := w.impostor("foo", first)

	w.update("foo", longerGrace)
	w.settles("foo", all(1))
	ds, pod := w.get("foo"), w.active("foo")[0]
	if got := ptr.Deref(ds.Status.CollisionCount, 0); got != 1 {
		w.Errorf("collisionCount is %d, want 1", got)
	}
	if got := *pod.Spec.TerminationGracePeriodSeconds; got != 1 {
		w.Errorf("the Pod has a grace period of %d s, want 1: the rollout has not reached it", got)
	}
	hash := pod.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
	if "foo-"+hash == taken.Name {
		w.Errorf("the Pod has the hash %s, which is somebody else's revision's", hash)
	}
	current, err := w.lab.Client.AppsV1().ControllerRevisions(w.namespace).Get(w.Context(), "foo-"+hash, metav1.GetOptions{})
	w.must(err)
	if current.Revision != 3 || !metav1.IsControlledBy(current, ds) {
		w.Errorf("revision %s has the number %d and the owners %v; want 3 and the DaemonSet", current.Name, current.Revision, current.OwnerReferences)
	}
	if want, err := revision.Data(&ds.Spec.Template); err != nil || string(current.Data.Raw) != string(want) {
		w.Errorf("revision %s holds\n%s\nwant (error %v)\n%s", current.Name, current.Data.Raw, err, want)
	}
}

// duplicateHistory: of two revisions with the same data the one with the higher number stays. The Pods get its hash and
// are not restarted.
func duplicateHistory(w *world) {
	w.node("first")
	w.daemonSet("foo")
	w.settles("foo", all(1))
	before := w.active("foo")[0]
	kept := w.impostor("foo", w.revisions("foo", 1)[0])

	w.node("second") // a reason to look at the DaemonSet, should a revision be none
	w.settles("foo", all(2))
	harness.Eventually(w, limit, func() error {
		for _, pod := range w.active("foo") {
			if got, want := pod.Labels[appsv1.DefaultDaemonSetUniqueLabelKey], revision.HashOf(kept); got != want {
				return fmt.Errorf("Pod %s has the hash %s, want %s", pod.Name, got, want)
			}
		}
		return nil
	})
	if left := w.revisions("foo", 1)[0]; left.UID != kept.UID || left.Revision != 2 {
		w.Errorf("the revision left is %s, number %d; want %s, number 2", left.Name, left.Revision, kept.Name)
	}
	w.settles("foo", all(2))
	if _, err := w.lab.Client.CoreV1().Pods(w.namespace).Get(w.Context(), before.Name, metav1.GetOptions{}); err != nil {
		w.Errorf("the first Pod was restarted: %v", err)
	}
}

func longerGrace(template *corev1.PodTemplateSpec) {
	template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](1)
}

// impostor makes a revision with the data of another one, under the name that the template with a longer grace period
// would get.
func (w *world) impostor(name string, like appsv1.ControllerRevision) *appsv1.ControllerRevision {
	w.Helper()
	ds := w.get(name)
	longerGrace(&ds.Spec.Template)
	made, err := revision.New(ds, like.Revision+1)
	w.must(err)
	made.Data = like.Data
	made, err = w.lab.Client.AppsV1().ControllerRevisions(w.namespace).Create(w.Context(), made, metav1.CreateOptions{})
	w.must(err)
	return made
}

// revisions waits until the DaemonSet has so many.
func (w *world) revisions(name string, want int) []appsv1.ControllerRevision {
	w.Helper()
	var found []appsv1.ControllerRevision
	harness.Eventually(w, limit, func() error {
		list, err := w.lab.Client.AppsV1().ControllerRevisions(w.namespace).List(w.Context(), metav1.ListOptions{LabelSelector: "name=" + name})
		if err != nil {
			return err
		}
		if found = list.Items; len(found) != want {
			var names []string
			for _, r := range found {
				names = append(names, fmt.Sprintf("%s number %d", r.Name, r.Revision))
			}
			return fmt.Errorf("%d revisions, want %d: %q", len(found), want, names)
		}
		return nil
	})
	return found
}
