package preview

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

// TestScenarios runs testdata/*.txt. Each file is a cluster and changes to it:
//
//	cluster
//	node NAME [zone=Z] [taint=KEY:EFFECT] [label=K=V] [cpu=4] [notready]
//	daemon NAME [FIELD=VALUE ...]           a Pod of it is Ready, after 8s, on each node that should have one
//	pod NAME NODE [cpu=..] [port=..] [app=..]
//	quota NAME RESOURCE=USED/HARD [...] [scope=BestEffort] [class=PRIORITYCLASS]
//
//	preview NAME [FIELD=VALUE ...] [slow=NODE:60s] [fail=NODE:0s] [show=timeline]
//
// Fields of a DaemonSet: image, env, cpu, tolerate, select, unavailable, surge, strategy, min-ready, port, app, probe, priority, mount.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return
		}
		c := &cluster{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "cluster":
				c.lines = strings.Split(strings.TrimSpace(d.Input), "\n")
				f := c.fleet(t)
				n, ds, pods, _ := f.Sizes()
				return fmt.Sprintf("%d nodes, %d DaemonSets, %d Pods\n", n, ds, pods)
			case "preview":
				return c.preview(t, d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

type cluster struct {
	lines  []string
	rv     fleet.Version
	quotas []*corev1.ResourceQuota
}

func (c *cluster) next() fleet.Version { c.rv++; return c.rv }

func newFleet() *fleet.Fleet {
	return fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) })
}

func (c *cluster) fleet(t *testing.T) *fleet.Fleet {
	f := newFleet()
	c.quotas = nil
	for _, line := range c.lines {
		words := strings.Fields(line)
		switch words[0] {
		case "node":
			f.ApplyNode(c.node(t, words[1], words[2:]), epoch)
		case "daemon":
			c.daemon(t, f, daemonSet(t, words[1], words[2:], false))
		case "pod":
			f.ApplyPod(c.pod(t, words[1], words[2], words[3:]), epoch)
		case "quota":
			c.quotas = append(c.quotas, quota(words[1], words[2:]))
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return f
}

func quota(name string, words []string) *corev1.ResourceQuota {
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	q.Status = corev1.ResourceQuotaStatus{Hard: corev1.ResourceList{}, Used: corev1.ResourceList{}}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "namespace":
			q.Namespace = value
		case "scope":
			q.Spec.Scopes = append(q.Spec.Scopes, corev1.ResourceQuotaScope(value))
		case "class":
			q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
				{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: corev1.ScopeSelectorOpIn, Values: []string{value}},
			}}
		default:
			used, hard, _ := strings.Cut(value, "/")
			q.Status.Used[corev1.ResourceName(key)], q.Status.Hard[corev1.ResourceName(key)] = resource.MustParse(used), resource.MustParse(hard)
		}
	}
	return q
}

func (c *cluster) node(t *testing.T, name string, words []string) *fleet.Node {
	n := &fleet.Node{
		Name: name, UID: types.UID("uid-" + name), Version: c.next(), Labels: map[string]string{}, Ready: true,
		Allocatable: fleet.Resources{MilliCPU: 4000, Memory: 8 << 30, Pods: 110},
	}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "zone":
			n.Labels[corev1.LabelTopologyZone] = value
		case "taint":
			k, effect, _ := strings.Cut(value, ":")
			n.Taints = append(n.Taints, corev1.Taint{Key: k, Effect: corev1.TaintEffect(effect)})
		case "label":
			k, v, _ := strings.Cut(value, "=")
			n.Labels[k] = v
		case "cpu":
			q := resource.MustParse(value)
			n.Allocatable.MilliCPU = q.MilliValue()
		case "notready":
			n.Ready = false
		default:
			t.Fatalf("unknown word %q of node %s", w, name)
		}
	}
	return n
}

// daemon makes a DaemonSet, its revision and its Pods.
func (c *cluster) daemon(t *testing.T, f *fleet.Fleet, ds *appsv1.DaemonSet) {
	Default(ds)
	count(nil, ds, epoch.Add(-1000*time.Hour))
	f.ApplyDaemon(ds, c.next(), false, epoch)
	rev, err := revision.New(ds, 1)
	if err != nil {
		t.Fatal(err)
	}
	rev.UID, rev.CreationTimestamp = "uid-revision", ds.CreationTimestamp
	f.ApplyRevision(rev, c.next())
	d := f.Daemon(types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name})
	for _, s := range d.Slots() {
		if !s.Verdict.ShouldRun() {
			continue
		}
		p := plan.Pending(d, revision.HashOf(rev), s.NodeName, ds.Name+"-"+s.NodeName, plan.Direct)
		p.UID, p.Version, p.Creating, p.Phase = types.UID("uid-"+p.Name), c.next(), false, fleet.PhaseRunning
		born := epoch.Add(-1000 * time.Hour)
		p.Created, p.Ready, p.ReadyStamp = fleet.StampOf(born), s.Node.Ready, fleet.StampOf(born.Add(8*time.Second))
		f.ApplyPod(p, epoch)
	}
}

func (c *cluster) pod(t *testing.T, name, node string, words []string) *fleet.Pod {
	p := &fleet.Pod{
		Name: name, UID: types.UID("uid-" + name), Version: c.next(), On: node, Bound: true, Phase: fleet.PhaseRunning,
		Created: fleet.StampOf(epoch.Add(-time.Hour)), Ready: true, ReadyStamp: fleet.StampOf(epoch),
		Shape: &fleet.Shape{Namespace: "default", Owner: "uid-rs", OwnerKind: "ReplicaSet", OwnerName: "web", Requests: fleet.Resources{Pods: 1}},
	}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "cpu":
			q := resource.MustParse(value)
			p.Requests.MilliCPU = q.MilliValue()
		case "port":
			p.HostPorts = []fleet.HostPort{{Protocol: corev1.ProtocolTCP, Port: int32(number(t, value))}}
		case "app":
			p.Labels = map[string]string{"app": value}
		default:
			t.Fatalf("unknown word %q of pod %s", w, name)
		}
	}
	return p
}

func daemonSet(t *testing.T, name string, words []string, ignore bool) *appsv1.DaemonSet {
	labels := map[string]string{"app": name}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "main", Image: "daemon:1",
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
						corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
					}},
					ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}},
				}}},
			},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{}},
		},
	}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		field(t, ds, key, value, ignore)
	}
	return ds
}

func field(t *testing.T, ds *appsv1.DaemonSet, key, value string, ignore bool) {
	spec := &ds.Spec.Template.Spec
	c := &spec.Containers[0]
	amount := intstr.Parse(value)
	switch key {
	case "image":
		c.Image = value
	case "env":
		k, v, _ := strings.Cut(value, "=")
		c.Env = append(c.Env, corev1.EnvVar{Name: k, Value: v})
	case "cpu":
		c.Resources.Requests[corev1.ResourceCPU] = resource.MustParse(value)
	case "no-requests":
		c.Resources.Requests = nil
	case "tolerate":
		spec.Tolerations = append(spec.Tolerations, corev1.Toleration{Key: value, Operator: corev1.TolerationOpExists})
	case "select":
		k, v, _ := strings.Cut(value, "=")
		spec.NodeSelector = map[string]string{k: v}
	case "unavailable":
		ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = &amount
	case "surge":
		zero := intstr.FromInt32(0)
		ds.Spec.UpdateStrategy.RollingUpdate.MaxSurge, ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = &amount, &zero
	case "strategy":
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.DaemonSetUpdateStrategyType(value)}
	case "min-ready":
		ds.Spec.MinReadySeconds = int32(number(t, value))
	case "port":
		c.Ports = []corev1.ContainerPort{{HostPort: int32(number(t, value)), ContainerPort: int32(number(t, value))}}
	case "app":
		ds.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": value}}
		ds.Spec.Template.Labels = map[string]string{"app": value}
	case "no-probe":
		c.ReadinessProbe = nil
	case "priority":
		spec.PriorityClassName = value
	case "mount":
		spec.Volumes = []corev1.Volume{{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: value}}}}
	default:
		if !ignore {
			t.Fatalf("unknown field %q of a DaemonSet", key)
		}
	}
}

// preview changes the DaemonSet NAME to what the arguments say; whatever they do not say is as it is.
func (c *cluster) preview(t *testing.T, d *datadriven.TestData) string {
	name := d.CmdArgs[0].Key
	var words []string
	for _, line := range c.lines {
		if w := strings.Fields(line); w[0] == "daemon" && w[1] == name {
			words = append(words, w[2:]...)
		}
	}
	o := Options{Now: epoch, Placement: plan.Direct, Slow: map[string]time.Duration{}, Fail: map[string]time.Duration{}}
	timeline := false
	for _, a := range d.CmdArgs[1:] {
		value := ""
		if len(a.Vals) > 0 {
			value = a.Vals[0]
		}
		node, after, _ := strings.Cut(value, ":")
		switch a.Key {
		case "slow":
			o.Slow[node] = duration(t, after)
		case "fail":
			o.Fail[node] = duration(t, after)
		case "work":
			o.Work = number(t, value)
		case "show":
			timeline = true
		case "drop":
			words = drop(words, value)
		default:
			words = append(words, a.Key+"="+value)
		}
	}
	ds := daemonSet(t, name, words, false)
	f := c.fleet(t)
	live := f.Daemon(types.NamespacedName{Namespace: "default", Name: name})
	Default(ds)
	var before *appsv1.DaemonSet
	if live != nil {
		before = live.Object
		ds.UID, ds.Generation, ds.CreationTimestamp = before.UID, before.Generation, before.CreationTimestamp
		setTemplateGeneration(ds, 1)
	}
	if err := valid(before, ds); err != nil {
		return "error: " + err.Error() + "\n"
	}
	count(before, ds, epoch)
	o.Quotas = c.quotas
	list, err := Compute(f, []*appsv1.DaemonSet{ds}, o)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return text(list[0], timeline)
}

func drop(words []string, field string) []string {
	var out []string
	for _, w := range words {
		if !strings.HasPrefix(w, field+"=") && w != field {
			out = append(out, w)
		}
	}
	return out
}

func duration(t *testing.T, s string) time.Duration {
	v, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func text(p Preview, timeline bool) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("%s", p.Kind)
	for _, c := range p.Changes {
		say("  %s", c.Text)
	}
	notes := func(what string, list []Note) {
		for _, n := range list {
			say("%s %s %s", what, n.Node, fleet.Reason{Code: n.Code, Detail: n.Detail})
		}
	}
	notes("gained", p.Nodes.Gained)
	notes("lost", p.Nodes.Lost)
	lists := func(what string, list []string) {
		if len(list) > 0 {
			say("%s %s", what, strings.Join(list, " "))
		}
	}
	lists("replaced", p.Nodes.Replaced)
	lists("on-delete", p.Nodes.OnDelete)
	lists("never reached", p.Nodes.NeverReached)
	lists("kept", p.Nodes.Kept)
	if len(p.Nodes.Without) > 0 {
		say("without %v", p.Nodes.Without)
	}
	for i, s := range p.Rollout.Steps {
		line := fmt.Sprintf("step %d +%s %s", i+1, s.After.Duration, strings.Join(s.Nodes, " "))
		if len(s.Unavailable) > 0 {
			line += " (unavailable: " + strings.Join(s.Unavailable, " ") + ")"
		}
		say("%s", line)
	}
	if p.Rollout.Total > 0 {
		say("%d steps, unavailable %d, surge %d", p.Rollout.Total, p.Rollout.MaxUnavailable, p.Rollout.MaxSurge)
	}
	if p.Rollout.Waiting > 0 {
		say("halts: %d nodes are never reached", p.Rollout.Waiting)
	}
	notes("hold", p.Holds)
	notes("no fit", p.NoFit)
	if len(p.Resources.Total) > 0 {
		say("total %v", p.Resources.Total)
	}
	if p.Rollout.Takes != nil {
		say("takes %s, from %d Pods of %s", Rough(p.Rollout.Takes.Duration), p.Rollout.Basis.Pods, p.Rollout.Basis.Of)
	}
	for _, w := range p.Warnings {
		say("warning %s: %s", w.Code, w.Text)
	}
	if timeline {
		for _, m := range p.Timeline {
			say("+%s %s %s %s", m.At.Duration, m.What, m.Node, m.Code)
		}
	}
	return b.String()
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
