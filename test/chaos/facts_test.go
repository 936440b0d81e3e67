package chaos

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// namespace is where the chaos has its DaemonSets.
const namespace = "chaos"

// Keys under which the API server keeps what the judge looks at.
const (
	podKeys      = "/registry/pods/" + namespace + "/"
	daemonKeys   = "/registry/daemonsets/" + namespace + "/"
	revisionKeys = "/registry/controllerrevisions/" + namespace + "/"
	nodeKeys     = "/registry/minions/"
	leaseKey     = "/registry/leases/everynode-system/everynode-controller"
)

// decode reads an object as the API server stores it.
func decode(c change) (runtime.Object, error) {
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(c.value, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("revision %d, %s: %w", c.rev, c.key, err)
	}
	return o, nil
}

// daemon is a DaemonSet as last stored.
type daemon struct {
	name       string
	image      string
	surge      bool
	generation int64
	status     appsv1.DaemonSetStatus
	done       int64 // the last generation that was seen rolled out
}

func daemonOf(ds *appsv1.DaemonSet) daemon {
	r := ds.Spec.UpdateStrategy.RollingUpdate
	return daemon{
		name: ds.Name, image: ds.Spec.Template.Spec.Containers[0].Image, generation: ds.Generation, status: ds.Status,
		surge: r != nil && r.MaxSurge != nil && r.MaxSurge.String() != "0",
	}
}

// rolledOut tells that the status says so about the present generation.
func (d daemon) rolledOut() bool {
	st := d.status
	return st.ObservedGeneration == d.generation && st.DesiredNumberScheduled > 0 &&
		st.UpdatedNumberScheduled == st.DesiredNumberScheduled && st.NumberAvailable == st.DesiredNumberScheduled
}

// pod is a daemon's Pod as last stored.
type pod struct {
	name, node, image, hash string
	uid, owner              types.UID
	made                    int64 // the revision that it was made at
	ready, ending, ended    bool
}

// podOf gives nil for what no DaemonSet controls.
func podOf(p *corev1.Pod) *pod {
	ref := metav1.GetControllerOf(p)
	if ref == nil || ref.Kind != "DaemonSet" {
		return nil
	}
	return &pod{
		name: p.Name, node: p.Spec.NodeName, image: p.Spec.Containers[0].Image, hash: p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey],
		uid: p.UID, owner: ref.UID,
		ready: slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}),
		ending: p.DeletionTimestamp != nil,
		ended:  p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded,
	}
}

func (p *pod) living() bool    { return !p.ending && !p.ended }
func (p *pod) available() bool { return p.living() && p.ready } // no DaemonSet here has minReadySeconds

// version is the part of the image that says which template it is of.
func (p *pod) version() string {
	_, v, _ := strings.Cut(p.image, ":")
	return v
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}
