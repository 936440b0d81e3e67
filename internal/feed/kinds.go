package feed

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

func nodeReader() reader[*corev1.Node, *fleet.Node] {
	labels := newWords(shelfLabels)
	return reader[*corev1.Node, *fleet.Node]{
		read: func(node *corev1.Node, v fleet.Version) *fleet.Node { return labels.label(fleet.NewNode(node, v)) },
		put: func(n *fleet.Node) applied {
			return func(f *fleet.Fleet, now time.Time) { f.ApplyNode(n, now) }
		},
		drop: func(n *fleet.Node) applied {
			return func(f *fleet.Fleet, now time.Time) { f.DeleteNode(n.Name, n.Version, now) }
		},
		replace: func(list []*fleet.Node, v fleet.Version) applied {
			return func(f *fleet.Fleet, now time.Time) { f.ReplaceNodes(list, v, now) }
		},
	}
}

func podReader(target func(*corev1.PodSpec) (string, bool)) reader[*corev1.Pod, *fleet.Pod] {
	known := newShelf()
	return reader[*corev1.Pod, *fleet.Pod]{
		read: func(pod *corev1.Pod, v fleet.Version) *fleet.Pod {
			node := ""
			if pod.Spec.NodeName == "" {
				node, _ = target(&pod.Spec)
			}
			return known.share(fleet.NewPod(pod, v, node))
		},
		put: func(p *fleet.Pod) applied {
			return func(f *fleet.Fleet, now time.Time) { f.ApplyPod(p, now) }
		},
		drop: func(p *fleet.Pod) applied {
			return func(f *fleet.Fleet, _ time.Time) { f.DeletePod(p) }
		},
		replace: func(list []*fleet.Pod, v fleet.Version) applied {
			return func(f *fleet.Fleet, now time.Time) { f.ReplacePods(list, v, now) }
		},
	}
}

// versioned is an object that decisions need whole, with its parsed resourceVersion.
type versioned[O any] struct {
	object  O
	version fleet.Version
}

// apart gives objects and versions as two lists.
func apart[O any](list []versioned[O]) (objects []O, versions []fleet.Version) {
	for _, e := range list {
		objects, versions = append(objects, e.object), append(versions, e.version)
	}
	return objects, versions
}

func daemonSetReader() reader[*appsv1.DaemonSet, versioned[*appsv1.DaemonSet]] {
	type daemonSet = versioned[*appsv1.DaemonSet]
	return reader[*appsv1.DaemonSet, daemonSet]{
		read: func(ds *appsv1.DaemonSet, v fleet.Version) daemonSet {
			// A status write sends the object back, and the API server keeps the fields' managers when none are sent.
			ds.ManagedFields = nil
			return daemonSet{ds, v}
		},
		put: func(d daemonSet) applied {
			return func(f *fleet.Fleet, now time.Time) { f.ApplyDaemon(d.object, d.version, false, now) }
		},
		drop: func(d daemonSet) applied {
			key, uid := types.NamespacedName{Namespace: d.object.Namespace, Name: d.object.Name}, d.object.UID
			return func(f *fleet.Fleet, _ time.Time) { f.DeleteDaemon(key, uid) }
		},
		replace: func(list []daemonSet, v fleet.Version) applied {
			objects, versions := apart(list)
			return func(f *fleet.Fleet, now time.Time) { f.ReplaceDaemons(objects, versions, v, now) }
		},
	}
}

func revisionReader() reader[*appsv1.ControllerRevision, versioned[*appsv1.ControllerRevision]] {
	type revision = versioned[*appsv1.ControllerRevision]
	gone := func(r revision) applied {
		key, uid := types.NamespacedName{Namespace: r.object.Namespace, Name: r.object.Name}, r.object.UID
		return func(f *fleet.Fleet, _ time.Time) { f.DeleteRevision(key, uid, r.version) }
	}
	return reader[*appsv1.ControllerRevision, revision]{
		read: func(r *appsv1.ControllerRevision, v fleet.Version) revision {
			r.ManagedFields = nil
			if !ours(r) {
				r.Data.Raw = nil
			}
			return revision{r, v}
		},
		put: func(r revision) applied {
			if !ours(r.object) {
				return gone(r) // it may have been a DaemonSet's before
			}
			return func(f *fleet.Fleet, _ time.Time) { f.ApplyRevision(r.object, r.version) }
		},
		drop: gone,
		replace: func(list []revision, v fleet.Version) applied {
			var mine []revision
			for _, r := range list {
				if ours(r.object) {
					mine = append(mine, r)
				}
			}
			objects, versions := apart(mine)
			return func(f *fleet.Fleet, _ time.Time) { f.ReplaceRevisions(objects, versions, v) }
		},
	}
}

// ours tells whether a revision may belong to a DaemonSet: StatefulSets have ControllerRevisions too.
func ours(r *appsv1.ControllerRevision) bool {
	ref := metav1.GetControllerOfNoCopy(r)
	return ref == nil || ref.Kind == fleet.DaemonSetKind
}
