package plan

import (
	"fmt"
	"path/filepath"
	"slices"
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
	"github.com/everynode/everynode/internal/revision"
)

// TestScenarios runs testdata/*.txt: each block is a snapshot of one DaemonSet, and what is planned for it.
//
//	plan [surge=N] [unavailable=N] [min-ready=10s] [strategy=OnDelete] [port=80] [cpu=200m] [tolerate=KEY] [placement=scheduler] [show=waits]
//	node NAME [taint=KEY:EFFECT] [zone=Z] [cpu=1] [pods=N]
//	pod NAME NODE [old|new] [ready] [unbound] [failed|succeeded] [terminating] [age=1h] [foreign] [cpu=..] [port=..] [ready-for=5s]
//	backoff NODE 5s
//
// Pods are of the new revision, one hour old, and Ready for as long, unless said otherwise.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return // go test keeps the inputs of fuzz targets here as well
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s := newSnapshot(t, d)
			for line := range strings.Lines(d.Input) {
				s.line(t, strings.Fields(line))
			}
			return s.plan(t)
		})
	})
}

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

type snapshot struct {
	fleet *fleet.Fleet
	ds    *appsv1.DaemonSet
	hash  string
	in    Input
	show  string
	rv    fleet.Version
	gone  map[string]time.Duration
}

func newSnapshot(t *testing.T, d *datadriven.TestData) *snapshot {
	arg := func(name string) string {
		for _, a := range d.CmdArgs {
			if a.Key == name && len(a.Vals) == 1 {
				return a.Vals[0]
			}
		}
		return ""
	}
	labels := map[string]string{"app": "d"}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: "default", UID: "uid-d", Generation: 1},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c"}}}},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{},
			},
		},
	}
	c := &ds.Spec.Template.Spec.Containers[0]
	set := func(field **intstr.IntOrString, text, otherwise string) {
		if text == "" {
			text = otherwise
		}
		v := intstr.Parse(text)
		*field = &v
	}
	unavailable := "1"
	if arg("surge") != "" {
		unavailable = "0"
	}
	set(&ds.Spec.UpdateStrategy.RollingUpdate.MaxSurge, arg("surge"), "0")
	set(&ds.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable, arg("unavailable"), unavailable)
	if v := arg("strategy"); v != "" {
		ds.Spec.UpdateStrategy.Type = appsv1.DaemonSetUpdateStrategyType(v)
	}
	if v := arg("min-ready"); v != "" {
		ds.Spec.MinReadySeconds = int32(duration(t, v).Seconds())
	}
	if v := arg("tolerate"); v != "" {
		ds.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: v, Operator: corev1.TolerationOpExists}}
	}
	if v := arg("port"); v != "" {
		c.Ports = []corev1.ContainerPort{{HostPort: number(t, v), ContainerPort: number(t, v)}}
	}
	if v := arg("cpu"); v != "" {
		c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(v)}
	}
	s := &snapshot{
		fleet: fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) }),
		ds:    ds, hash: revision.Hash(&ds.Spec.Template, nil), show: arg("show"), gone: map[string]time.Duration{},
		in: Input{Now: epoch, Placement: Direct},
	}
	if v := arg("placement"); v != "" {
		s.in.Placement = Placement(v)
	}
	s.fleet.ApplyDaemon(ds, s.next(), false, epoch)
	return s
}

func (s *snapshot) next() fleet.Version { s.rv++; return s.rv }

func (s *snapshot) line(t *testing.T, words []string) {
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "node":
		s.fleet.ApplyNode(s.node(t, words[1], words[2:]), epoch)
	case "pod":
		s.fleet.ApplyPod(s.pod(t, words[1], words[2], words[3:]), epoch)
	case "creating":
		p := s.pod(t, words[1], words[2], words[3:])
		p.UID, p.Created, p.Phase = "", 0, fleet.PhasePending
		s.fleet.Creating(p, epoch)
	case "backoff":
		slot := s.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: "d"}).Slot(words[1])
		wait := fleet.Backoff{Until: epoch.Add(duration(t, words[2])), Delay: time.Minute, Epoch: 1}
		slot.Note(func(t *fleet.Trouble) { t.Failures = wait })
	case "gone":
		s.gone[words[1]] = duration(t, words[2])
	default:
		t.Fatalf("unknown line %q", words)
	}
}

func (s *snapshot) node(t *testing.T, name string, words []string) *fleet.Node {
	n := &fleet.Node{Name: name, UID: types.UID("uid-" + name), Version: s.next(), Labels: map[string]string{corev1.LabelHostname: name}, Ready: true}
	n.Allocatable = fleet.Resources{MilliCPU: 4000, Pods: 110}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "taint":
			k, effect, _ := strings.Cut(value, ":")
			n.Taints = append(n.Taints, corev1.Taint{Key: k, Effect: corev1.TaintEffect(effect)})
		case "zone":
			n.Labels[corev1.LabelTopologyZone] = value
		case "cpu":
			q := resource.MustParse(value)
			n.Allocatable.MilliCPU = q.MilliValue()
		case "pods":
			n.Allocatable.Pods = int64(number(t, value))
		default:
			t.Fatalf("unknown word %q of node %s", w, name)
		}
	}
	return n
}

func (s *snapshot) pod(t *testing.T, name, node string, words []string) *fleet.Pod {
	p := &fleet.Pod{
		Name: name, UID: types.UID("uid-" + name), Version: s.next(), On: node, Bound: true,
		Created: fleet.StampOf(epoch.Add(-time.Hour)), Phase: fleet.PhaseRunning,
		Shape: &fleet.Shape{
			Namespace: "default",
			Owner:     s.ds.UID, OwnerKind: fleet.DaemonSetKind, OwnerName: "d", Requests: fleet.Resources{Pods: 1},
			Labels: map[string]string{"app": "d", appsv1.DefaultDaemonSetUniqueLabelKey: s.hash},
		},
	}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "old":
			p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = "old"
		case "new":
		case "ready":
			p.Ready, p.ReadyStamp = true, p.Created
		case "ready-for":
			p.Ready, p.ReadyStamp = true, fleet.StampOf(epoch.Add(-duration(t, value)))
		case "unbound":
			p.Bound, p.Phase = false, fleet.PhasePending
		case "failed":
			p.Phase = fleet.PhaseFailed
		case "succeeded":
			p.Phase = fleet.PhaseSucceeded
		case "terminating":
			p.Terminating = true
		case "deleting":
			p.Deleting = true
		case "age":
			p.Created = fleet.StampOf(epoch.Add(-duration(t, value)))
		case "foreign":
			p.Owner, p.OwnerKind, p.Labels = "uid-other", "ReplicaSet", nil
		case "orphan":
			p.Owner, p.OwnerKind = "", ""
		case "priority":
			p.Priority = number(t, value)
		case "cpu":
			q := resource.MustParse(value)
			p.Requests.MilliCPU = q.MilliValue()
		case "port":
			p.HostPorts = hostPort(t, value)
		default:
			t.Fatalf("unknown word %q of pod %s", w, name)
		}
	}
	return p
}

// hostPort reads [IP:]PORT[/PROTOCOL].
func hostPort(t *testing.T, text string) []fleet.HostPort {
	text, proto, found := strings.Cut(text, "/")
	if !found {
		proto = "TCP"
	}
	ip, port, found := strings.Cut(text, ":")
	if !found {
		ip, port = "", text
	}
	return []fleet.HostPort{{IP: ip, Protocol: corev1.Protocol(proto), Port: number(t, port)}}
}

func (s *snapshot) plan(t *testing.T) string {
	d := s.fleet.Daemon(types.NamespacedName{Namespace: "default", Name: "d"})
	for node, ago := range s.gone {
		d.Slot(node).Note(func(t *fleet.Trouble) { t.GoneSince = epoch.Add(-ago) })
	}
	rev, err := revision.New(s.ds, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.in.Daemon, s.in.Revisions, s.in.Orphans = d, []*appsv1.ControllerRevision{rev}, s.fleet.Orphans(d)
	d.Approved = s.hash
	p, err := Compute(s.in)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return s.text(p)
}

func (s *snapshot) text(p Plan) string {
	var out []string
	for _, a := range p.Actions {
		line := a.Kind.String() + " " + a.Node
		if a.Pod != nil {
			line += "/" + a.Pod.Name
		}
		out = append(out, line+" "+strings.ReplaceAll(a.Reason.String(), s.hash, "HASH"))
	}
	slices.SortStableFunc(out, strings.Compare)
	for _, w := range p.Waits {
		if s.show == "actions" || (w.Reason.Code == fleet.BudgetUsed && s.show != "waits") {
			continue
		}
		line := fmt.Sprintf("wait %s %s", w.Node, w.Reason)
		if !w.Until.IsZero() {
			line += " until +" + w.Until.Sub(epoch).String()
		}
		out = append(out, line)
	}
	if !p.Next.IsZero() {
		out = append(out, "next +"+p.Next.Sub(epoch).String())
	}
	if s.show == "counts" {
		c := p.Counts
		out = append(out, fmt.Sprintf("desired=%d current=%d misscheduled=%d ready=%d available=%d updated=%d",
			c.Desired, c.Current, c.Misscheduled, c.Ready, c.Available, c.Updated))
	}
	if len(out) == 0 {
		return "nothing\n"
	}
	return strings.Join(out, "\n") + "\n"
}

func duration(t *testing.T, text string) time.Duration {
	v, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func number(t *testing.T, text string) int32 {
	var n int32
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("%q is no number: %v", text, err)
	}
	return n
}
