package oracle

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/revision"
)

// epoch is the moment at which every scene is judged.
var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// scene is one DaemonSet with its nodes and Pods, in the words of the scenarios of internal/plan.
type scene struct {
	onDelete           bool
	surge, unavailable string
	minReady           time.Duration
	hostPort           bool
	tolerate           bool          // taints with key k
	choosy             bool          // wants nodes labelled disk=ssd
	zoned              bool          // wants, by affinity, zone a or b
	generation         string        // the template generation that the server counts, or nothing
	age                time.Duration // of the DaemonSet; an older Pod was adopted
	known              bool          // the status is already as everynode would write it
	deleting           bool
	nodes              []sceneNode
	pods               []scenePod
	gone               map[string]time.Duration // since when a node that Pods name has been missing
	backoff            []string                 // nodes where a failed Pod was replaced a moment ago

	verdicts map[string][2]bool // what verdict has found out
}

type sceneNode struct {
	name, zone string
	taint      string // KEY:EFFECT
	disk       string
}

// scenePod is a Pod that is the DaemonSet's, unless owner says otherwise.
type scenePod struct {
	name, node  string
	place       string // bound, unbound or astray
	hash        string // old, new or none
	generation  string
	phase       corev1.PodPhase
	ready       bool
	readyFor    time.Duration // by the kubelet's stamp; negative: its clock runs ahead
	stampless   bool
	seen        time.Duration // how long everynode has known it Ready, where the stamp says less
	terminating bool
	age         time.Duration
	owner       string // mine, orphan, foreign or namesake: an earlier DaemonSet of the name
	stray       bool   // the selector does not match
}

func (s *scene) clone() *scene {
	s.verdict("") // share it
	out := *s
	out.nodes, out.pods = slices.Clone(s.nodes), slices.Clone(s.pods)
	return &out
}

func (s *scene) rolling() bool { return !s.onDelete }

// surging is upstream's AllowsSurge.
func (s *scene) surging() bool { return daemonutil.AllowsSurge(s.daemonSet()) }

// inPlace tells that everynode replaces without surge; with a host port it does (difference 6).
func (s *scene) inPlace() bool { return !s.surging() || s.hostPort }

func (s *scene) has(node string) bool {
	return slices.ContainsFunc(s.nodes, func(n sceneNode) bool { return n.name == node })
}

// mine tells that the Pod is in one of the DaemonSet's slots, or will be once it is adopted.
func (p *scenePod) mine() bool {
	return !p.stray && p.place != "astray" && (p.owner == "mine" || (p.owner == "orphan" && !p.terminating))
}

func (p *scenePod) ended() bool { return p.phase == corev1.PodFailed || p.phase == corev1.PodSucceeded }
func (p *scenePod) live() bool  { return p.mine() && !p.terminating && !p.ended() }

const hashLabel, generationLabel = appsv1.DefaultDaemonSetUniqueLabelKey, fleet.TemplateGenerationLabel

func (s *scene) daemonSet() *appsv1.DaemonSet {
	labels := map[string]string{"app": "d"}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: "default", UID: "uid-d", Generation: 2, CreationTimestamp: metav1.NewTime(epoch.Add(-s.age))},
		Spec: appsv1.DaemonSetSpec{
			Selector:             &metav1.LabelSelector{MatchLabels: labels},
			Template:             corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
			MinReadySeconds:      int32(s.minReady.Seconds()),
			RevisionHistoryLimit: ptr.To[int32](10),
			UpdateStrategy:       appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType},
		},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, Conditions: []appsv1.DaemonSetCondition{{Type: "Foreign"}}},
	}
	if s.deleting {
		ds.DeletionTimestamp = ptr.To(metav1.NewTime(epoch))
	}
	if s.generation != "" {
		ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: s.generation}
	}
	if s.rolling() {
		surge, unavailable := intstr.Parse(s.surge), intstr.Parse(s.unavailable)
		ds.Spec.UpdateStrategy.Type = appsv1.RollingUpdateDaemonSetStrategyType
		ds.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxSurge: &surge, MaxUnavailable: &unavailable}
	}
	s.template(&ds.Spec.Template.Spec)
	return ds
}

func (s *scene) template(spec *corev1.PodSpec) {
	c := corev1.Container{Name: "c"}
	if s.hostPort {
		c.Ports = []corev1.ContainerPort{{HostPort: 80, ContainerPort: 80}}
	}
	spec.Containers = []corev1.Container{c}
	if s.tolerate {
		spec.Tolerations = []corev1.Toleration{{Key: "k", Operator: corev1.TolerationOpExists}}
	}
	if s.choosy {
		spec.NodeSelector = map[string]string{"disk": "ssd"}
	}
	if s.zoned {
		spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{"a", "b"}},
			}}},
		}}}
	}
}

// world makes the API objects of a scene.
func (s *scene) world() *world {
	w := &world{ds: s.daemonSet()}
	current, err := revision.New(w.ds, 1)
	if err != nil {
		panic(err)
	}
	current.UID, current.CreationTimestamp = "uid-revision", w.ds.CreationTimestamp
	w.revisions = []*appsv1.ControllerRevision{current}
	for i := range s.nodes {
		w.nodes = append(w.nodes, s.nodes[i].object())
	}
	for i := range s.pods {
		w.pods = append(w.pods, s.pods[i].object(w.ds, revision.HashOf(current)))
	}
	return w
}

func (n *sceneNode) object() *corev1.Node {
	out := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name, UID: types.UID("uid-" + n.name), Labels: map[string]string{"disk": n.disk}}}
	if n.zone != "" {
		out.Labels[corev1.LabelTopologyZone] = n.zone
	}
	if key, effect := n.taintParts(); key != "" {
		out.Spec.Taints = []corev1.Taint{{Key: key, Effect: corev1.TaintEffect(effect)}}
	}
	return out
}
