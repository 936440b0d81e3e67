package feed

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

func nodeMailbox() mailbox {
	return mailbox{
		put: func(o any, v fleet.Version) applied {
			n := fleet.NewNode(o.(*corev1.Node), v)
			return func(f *fleet.Fleet, _ time.Time) { f.ApplyNode(n) }
		},
		drop: func(o any, v fleet.Version) applied {
			name := o.(*corev1.Node).Name
			return func(f *fleet.Fleet, now time.Time) { f.DeleteNode(name, v, now) }
		},
		replace: func(os []any, vs []fleet.Version, v fleet.Version) applied {
			list := make([]*fleet.Node, len(os))
			for i, o := range os {
				list[i] = fleet.NewNode(o.(*corev1.Node), vs[i])
			}
			return func(f *fleet.Fleet, now time.Time) { f.ReplaceNodes(list, v, now) }
		},
	}
}

func podMailbox(target func(*corev1.PodSpec) (string, bool)) mailbox {
	read := func(o any, v fleet.Version) *fleet.Pod {
		pod := o.(*corev1.Pod)
		node := ""
		if pod.Spec.NodeName == "" {
			node, _ = target(&pod.Spec)
		}
		return fleet.NewPod(pod, v, node)
	}
	return mailbox{
		put: func(o any, v fleet.Version) applied {
			p := read(o, v)
			return func(f *fleet.Fleet, now time.Time) { f.ApplyPod(p, now) }
		},
		drop: func(o any, v fleet.Version) applied {
			p := read(o, v)
			return func(f *fleet.Fleet, _ time.Time) { f.DeletePod(p) }
		},
		replace: func(os []any, vs []fleet.Version, v fleet.Version) applied {
			list := make([]*fleet.Pod, len(os))
			for i, o := range os {
				list[i] = read(o, vs[i])
			}
			return func(f *fleet.Fleet, now time.Time) { f.ReplacePods(list, v, now) }
		},
	}
}

func daemonSetMailbox() mailbox {
	return mailbox{
		put: func(o any, v fleet.Version) applied {
			ds := trimmed(o.(*appsv1.DaemonSet))
			return func(f *fleet.Fleet, now time.Time) { f.ApplyDaemon(ds, v, false, now) }
		},
		drop: func(o any, _ fleet.Version) applied {
			ds := o.(*appsv1.DaemonSet)
			key, uid := types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}, ds.UID
			return func(f *fleet.Fleet, _ time.Time) { f.DeleteDaemon(key, uid) }
		},
		replace: func(os []any, vs []fleet.Version, v fleet.Version) applied {
			list := make([]*appsv1.DaemonSet, len(os))
			for i, o := range os {
				list[i] = trimmed(o.(*appsv1.DaemonSet))
			}
			return func(f *fleet.Fleet, now time.Time) { f.ReplaceDaemons(list, vs, v, now) }
		},
	}
}

func revisionMailbox() mailbox {
	return mailbox{
		put: func(o any, v fleet.Version) applied {
			r := o.(*appsv1.ControllerRevision)
			r.ManagedFields = nil
			if !ours(r) {
				return gone(r) // it may have been a DaemonSet's before
			}
			return func(f *fleet.Fleet, _ time.Time) { f.ApplyRevision(r, v) }
		},
		drop: func(o any, _ fleet.Version) applied { return gone(o.(*appsv1.ControllerRevision)) },
		replace: func(os []any, vs []fleet.Version, v fleet.Version) applied {
			var list []*appsv1.ControllerRevision
			var versions []fleet.Version
			for i, o := range os {
				if r := o.(*appsv1.ControllerRevision); ours(r) {
					r.ManagedFields = nil
					list, versions = append(list, r), append(versions, vs[i])
				}
			}
			return func(f *fleet.Fleet, _ time.Time) { f.ReplaceRevisions(list, versions, v) }
		},
	}
}

func gone(r *appsv1.ControllerRevision) applied {
	key, uid := types.NamespacedName{Namespace: r.Namespace, Name: r.Name}, r.UID
	return func(f *fleet.Fleet, _ time.Time) { f.DeleteRevision(key, uid) }
}

// ours tells whether a revision may belong to a DaemonSet: StatefulSets have ControllerRevisions too.
func ours(r *appsv1.ControllerRevision) bool {
	ref := metav1.GetControllerOfNoCopy(r)
	return ref == nil || ref.Kind == fleet.DaemonSetKind
}

// trimmed drops what nobody reads. A status write sends the object back, and the API server keeps the fields' managers as
// they are when none are sent.
func trimmed(ds *appsv1.DaemonSet) *appsv1.DaemonSet {
	ds.ManagedFields = nil
	return ds
}
