package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// daemonSet is one for nodes with disk=ssd, with an environment that is nobody's business.
func daemonSet() *appsv1.DaemonSet {
	labels := map[string]string{"app": "exporter"}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: "exporter", Namespace: "acme", UID: "ds", ResourceVersion: "5", Generation: 1, CreationTimestamp: metav1.NewTime(t0.Add(-time.Hour)),
			Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: "1", "acme.example/team": "payments"},
			ManagedFields: []metav1.ManagedFieldsEntry{{
				Manager: "everynode-controller", Subresource: "status", Time: &metav1.Time{Time: t0}, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{},
			}},
		},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: labels},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"acme.example/owner": "payments"}},
				Spec: corev1.PodSpec{
					NodeSelector: map[string]string{"disk": "ssd"},
					Tolerations:  []corev1.Toleration{{Key: "acme.example/gpu", Operator: corev1.TolerationOpEqual, Value: "a100", Effect: corev1.TaintEffectNoSchedule}},
					Containers: []corev1.Container{{
						Name: "exporter", Image: "registry.acme.example/exporter:1", Env: []corev1.EnvVar{{Name: "TOKEN", Value: "hunter2"}},
						Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
					}},
				},
			},
		},
	}
}

func hashOf(t *testing.T, ds *appsv1.DaemonSet) (*appsv1.ControllerRevision, string) {
	t.Helper()
	data, err := revision.Data(&ds.Spec.Template)
	if err != nil {
		t.Fatal(err)
	}
	r := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: ds.Name + "-abc", Namespace: ds.Namespace, UID: "rev", ResourceVersion: "6", Labels: map[string]string{"app": "exporter", appsv1.ControllerRevisionHashLabelKey: "abc"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))},
		},
		Revision: 1,
	}
	r.Data.Raw = data
	return r, "abc"
}

// example is a cluster of three nodes: the daemon runs on acme-1, has no room on acme-2, and must not run on acme-3.
func example(t *testing.T) *Snapshot {
	t.Helper()
	s := &Snapshot{Taken: t0, Server: "v1.37.2"}
	for i, cpu := range []string{"1", "50m", "1"} {
		n := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{
				Name: fmt.Sprintf("acme-%d", i+1), UID: types.UID(fmt.Sprint("n", i)), ResourceVersion: "1",
				Labels: map[string]string{"disk": "ssd", corev1.LabelHostname: fmt.Sprintf("acme-%d", i+1), corev1.LabelOSStable: "linux"},
			},
			Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: "acme.example/gpu", Value: "a100", Effect: corev1.TaintEffectNoSchedule}}},
			Status: corev1.NodeStatus{
				Allocatable: corev1.ResourceList{"cpu": resource.MustParse(cpu), "pods": resource.MustParse("10")},
				Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			},
		}
		if i == 2 {
			n.Labels["disk"] = "hdd"
		}
		if err := s.AddNode(n); err != nil {
			t.Fatal(err)
		}
	}
	ds := daemonSet()
	rev, hash := hashOf(t, ds)
	pod := plan.NewPod(ds, hash, "acme-1", "exporter-bcdfghjklm", plan.Direct)
	pod.UID, pod.ResourceVersion, pod.CreationTimestamp = "p1", "9", metav1.NewTime(t0.Add(-time.Minute))
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(t0.Add(-time.Minute))}}}
	if err := s.AddPod(pod); err != nil {
		t.Fatal(err)
	}
	s.AddDaemonSet(ds)
	s.AddRevision(rev)
	s.Events = []Event{{Namespace: "acme", Name: "exporter", Type: "Warning", Reason: "FailedPlacement", Message: "No Pod on node acme-2: cpu: requested 100m, used 0 of 50m", First: t0, Last: t0}}
	s.Leases = []Lease{{Namespace: "everynode-system", Name: live.LeaseName, Holder: "acme-1_uuid", Renewed: t0, Seconds: 15}}
	s.Missing = []Missing{{Verb: "list", Resource: "events", Namespace: "acme", Why: "Forbidden", Effect: "what the controller said"}}
	return s
}

// outcome is what a plan says of each node, without names.
func outcome(t *testing.T, s *Snapshot) []string {
	t.Helper()
	w, err := s.World(s.Taken)
	if err != nil {
		t.Fatal(err)
	}
	d := w.Fleet.Daemons()[0]
	p, err := w.Plan(d)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, a := range p.Actions {
		if a.Kind != plan.Revise { // how the history is kept is not looked at here
			calls++
		}
	}
	out := []string{fmt.Sprintf("%d calls, counts %+v, by %s, %s", calls, p.Counts, w.Runner(d).By, w.Runner(d).Placement)}
	for _, slot := range d.Slots() {
		line := fmt.Sprintf("%s, %d Pods", slot.Verdict.Decision, len(slot.Pods))
		for _, wait := range p.Waits {
			if wait.Node == slot.NodeName {
				line += ", " + wait.Reason.String()
			}
		}
		out = append(out, line)
	}
	return out
}

var wanted = []string{
	"0 calls, counts {Desired:2 Current:1 Misscheduled:0 Ready:1 Available:1 Updated:1}, by everynode, direct",
	"run, 1 Pods",
	"run, 0 Pods, NoRoom: cpu: requested 100m, used 0 of 50m",
	"leave, 0 Pods",
}

func TestPlanOfASnapshot(t *testing.T) {
	if diff := cmp.Diff(wanted, outcome(t, example(t))); diff != "" {
		t.Error(diff)
	}
}

func TestWrittenAndReadAgain(t *testing.T) {
	s := example(t)
	s.AddQuota(&corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "compute", Annotations: map[string]string{"secret": "note"}},
		Status:     corev1.ResourceQuotaStatus{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("10")}},
	})
	s.Live = []live.State{{Version: live.Version, Taken: t0, Placement: "direct", Namespace: "acme", Name: "exporter", UID: "ds", Generation: 1}}
	var file bytes.Buffer
	if err := Write(&file, s); err != nil {
		t.Fatal(err)
	}
	again, err := Read(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := Write(&second, again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(file.String(), second.String()); diff != "" {
		t.Errorf("written again: %s", diff)
	}
	if q := again.Quotas; len(q) != 1 || q[0].Namespace != "acme" || q[0].Name != "compute" || q[0].Annotations != nil || !q[0].Status.Hard.Pods().Equal(resource.MustParse("10")) {
		t.Errorf("quotas %v", q)
	}
	hidden, err := Redact(again)
	if err != nil {
		t.Fatal(err)
	}
	if q := hidden.Quotas; len(q) != 1 || q[0].Namespace != hidden.DaemonSets[0].Namespace || q[0].Name == "compute" || !q[0].Status.Hard.Pods().Equal(resource.MustParse("10")) {
		t.Errorf("redacted quotas %v, in the namespace of DaemonSet %s", q, hidden.DaemonSets[0].Namespace)
	}
	if diff := cmp.Diff(wanted, outcome(t, again)); diff != "" {
		t.Error(diff)
	}
}

// A file of the version before has no quotas; all else is the same.
func TestAFileOfTheVersionBefore(t *testing.T) {
	var file bytes.Buffer
	if err := Write(&file, example(t)); err != nil {
		t.Fatal(err)
	}
	s, err := Read(strings.NewReader(strings.Replace(file.String(), `"version":2`, `"version":1`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, outcome(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenFiles(t *testing.T) {
	var file bytes.Buffer
	if err := Write(&file, example(t)); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(file.String()), "\n")
	replaced := func(old, with string) string { return strings.Replace(file.String(), old, with, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "line 1: the file is empty"},
		"another file":    {"{}\n", "line 1, head.format: this is no snapshot; everynode snapshot writes one"},
		"no JSON":         {lines[0] + "kind: List\n", "line 2, character 1: no JSON: invalid character 'k' looking for beginning of value"},
		"newer version":   {replaced(`"version":2`, `"version":3`), "line 1, head.version: the file has version 3 and this program reads 1 to 2; use the everynode that wrote it, or take a new snapshot"},
		"cut off":         {strings.Join(lines[:4], ""), "line 4: the file ends here without its end line; it was cut off"},
		"a line is lost":  {strings.Join(append(append([]string{}, lines[:2]...), lines[3:]...), ""), "line 10, end.lines: 10 lines were written and 9 are here; some were lost"},
		"two files":       {file.String() + file.String(), "line 12: something follows the end; two files cannot be one"},
		"unknown field":   {replaced(`"ready":"True"`, `"reddy":"True"`), `line 4: unknown field "reddy"`},
		"wrong kind":      {replaced(`"version":1,"labels"`, `"version":"x","labels"`), "line 4, node.version: a string stands where a uint64 belongs"},
		"nothing in line": {lines[0] + "{}\n", "line 2: no object that a snapshot holds"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text))
			var broken *Broken
			if !errors.As(err, &broken) || err.Error() != c.want {
				t.Errorf("error = %v\nwant    %s", err, c.want)
			}
		})
	}
}

func TestRedactedPlanIsTheSame(t *testing.T) {
	s, err := Redact(example(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, outcome(t, s)); diff != "" {
		t.Errorf("the plan is another: %s", diff)
	}
	var file bytes.Buffer
	if err := Write(&file, s); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"acme", "exporter", "hunter2", "TOKEN", "registry", "payments", "a100", "ssd"} {
		if i := strings.Index(file.String(), secret); i >= 0 {
			t.Errorf("%q is still there: …%s…", secret, file.String()[max(0, i-60):min(file.Len(), i+60)])
		}
	}
	if got := s.Events[0].Message; got != "No Pod on node node-2: cpu: requested 100m, used 0 of 50m" {
		t.Errorf("message = %s", got)
	}
	if got := s.Pods[0].Name; got != "daemon-1-bcdfghjklm" {
		t.Errorf("Pod = %s", got)
	}
}

func TestWhoRunsIt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Snapshot)
		want   Runner
	}{
		"the built-in controller wrote the status last": {
			func(s *Snapshot) {
				s.DaemonSets[0].ManagedFields = append(s.DaemonSets[0].ManagedFields, metav1.ManagedFieldsEntry{Manager: "kube-controller-manager", Subresource: "status", Time: &metav1.Time{Time: t0.Add(time.Second)}})
			},
			Runner{By: BuiltIn, Placement: plan.Scheduler, Because: "status was last written by kube-controller-manager"},
		},
		"nobody wrote, and the Pod's name is derived": {
			func(s *Snapshot) { s.DaemonSets[0].ManagedFields = nil },
			Runner{By: Everynode, Placement: plan.Direct, Because: "Pod exporter-bcdfghjklm has a derived name"},
		},
		"nobody wrote, and the Pod's name is random": {
			func(s *Snapshot) { s.DaemonSets[0].ManagedFields, s.Pods[0].Name = nil, "exporter-x2b4d" },
			Runner{By: BuiltIn, Placement: plan.Scheduler, Because: "Pod exporter-x2b4d has a random name"},
		},
		"nothing but a lease": {
			func(s *Snapshot) { s.DaemonSets[0].ManagedFields, s.Pods = nil, nil },
			Runner{By: Everynode, Placement: plan.Direct, Because: "lease everynode-system/everynode-controller is held by acme-1_uuid"},
		},
		"a lease that has run out": {
			func(s *Snapshot) {
				s.DaemonSets[0].ManagedFields, s.Pods, s.Leases[0].Renewed = nil, nil, t0.Add(-time.Minute)
			},
			Runner{By: Nobody, Placement: plan.Direct, Because: "nothing was written yet that tells"},
		},
		"its controller answers": {
			func(s *Snapshot) {
				s.Live = []live.State{{Version: live.Version, Placement: "scheduler", Namespace: "acme", Name: "exporter", UID: "ds"}}
			},
			Runner{By: Everynode, Placement: plan.Scheduler, Because: "its controller answers"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := example(t)
			c.change(s)
			w, err := s.World(t0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, w.Runner(w.Fleet.Daemons()[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What the controller knows gives the plan that the controller would make: a refused slot waits rather than being tried.
func TestLiveStateIsUsed(t *testing.T) {
	s := example(t)
	s.Pods = nil
	until := t0.Add(10 * time.Second)
	s.Live = []live.State{{
		Version: live.Version, Placement: "direct", Namespace: "acme", Name: "exporter", UID: "ds", Generation: 1,
		Nodes: []live.Node{{Name: "acme-1", Refused: &live.Backoff{Until: until, Seconds: 16, Epoch: 1, Code: fleet.CallBackoff, Text: "no more Pods"}}},
	}}
	w, err := s.World(t0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Plan(w.Fleet.Daemons()[0])
	if err != nil {
		t.Fatal(err)
	}
	var got []plan.Wait
	for _, wait := range p.Waits {
		if wait.Node == "acme-1" {
			got = append(got, wait)
		}
	}
	want := []plan.Wait{{Node: "acme-1", Reason: fleet.Reason{Code: fleet.CallBackoff, Detail: "no more Pods"}, Until: until}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
