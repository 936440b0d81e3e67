package explain

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// plainText is text without colour.
type plainText struct{}

func (plainText) Good(s string) string { return s }
func (plainText) Bad(s string) string  { return s }
func (plainText) Wait(s string) string { return s }
func (plainText) Dim(s string) string  { return s }
func (plainText) Bold(s string) string { return s }

// halted is a rollout that stands: n1 has the new Pod, whose image cannot be pulled; n2 and n3 wait; n4 is tainted.
func halted(t *testing.T) *Book {
	s := newScene(t, 4)
	s.revision(1, "old")
	s.pod("n2", "old")
	s.pod("n3", "old")
	s.ds.Spec.Template.Spec.Containers[0].Image = "example.com/app:2"
	s.ds.Generation = 2
	s.revision(2, "new")
	waiting(s.pod("n1", "new"), "ImagePullBackOff", "Back-off pulling image", 0)
	s.nodes[3].Spec.Taints = []corev1.Taint{{Key: "gpu", Value: "a100", Effect: corev1.TaintEffectNoSchedule}}
	return s.book()
}

func TestGolden(t *testing.T) {
	b := halted(t)
	node, stuck, all, with := b.Node("n4"), b.Node("n1"), b.DaemonSet(), b.With(fleet.BudgetUsed)
	text := func(write func(*bytes.Buffer) error) []byte {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	data := func(v any) []byte {
		out, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return append(out, '\n')
	}
	for name, got := range map[string][]byte{
		"node.json":      data(node),
		"stuck.json":     data(stuck),
		"daemonset.json": data(all),
		"node.txt":       text(func(w *bytes.Buffer) error { return WriteNode(w, &node, "everynode", plainText{}) }),
		"stuck.txt":      text(func(w *bytes.Buffer) error { return WriteNode(w, &stuck, "everynode", plainText{}) }),
		"daemonset.txt":  text(func(w *bytes.Buffer) error { return WriteDaemonSet(w, &all, "everynode", plainText{}) }),
		"reason.txt":     text(func(w *bytes.Buffer) error { return WriteDaemonSet(w, &with, "everynode", plainText{}) }),
	} {
		file := filepath.Join("testdata", name)
		if *rewrite {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got; go test -rewrite writes it anew):\n%s", name, diff)
		}
	}
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		make   func(*scene)
		answer Answer
		reason string
		change string // one of the proposed changes, or a part of it
		next   string
	}{
		"the built-in controller was refused": {
			func(s *scene) {
				s.runBy("kube-controller-manager")
				s.Events = []snapshot.Event{{Namespace: "monitoring", Name: "exporter", Reason: "FailedCreate", Last: t0.Add(-time.Minute), Message: `Error creating: pods "exporter-x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3`}}
			},
			ShouldRun, `CallBackoff: pods "exporter-x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3 (60s ago)`,
			"raise ResourceQuota few in namespace monitoring: pods=3 is used of pods=3, and one Pod needs pods=1 more", "the controller tries again; each pause is twice as long, up to 17 minutes",
		},
		"a refusal before the last success is over": {
			func(s *scene) {
				s.runBy("kube-controller-manager")
				s.Events = []snapshot.Event{
					{Namespace: "monitoring", Name: "exporter", Reason: "FailedCreate", Last: t0.Add(-time.Minute), Message: "Error creating: no"},
					{Namespace: "monitoring", Name: "exporter", Reason: "SuccessfulCreate", Last: t0.Add(-time.Second)},
				}
			},
			ShouldRun, "PodMissing", "", "the controller creates a Pod",
		},
		"a scheduler finds no room": {
			func(s *scene) {
				s.runBy("kube-controller-manager")
				p := s.pod("", "new")
				p.Name, p.Spec.NodeName = "exporter-x2b4d", ""
				p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
					NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{"n1"}}}}},
				}}}
				p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes are available: 1 Insufficient cpu."}}}
				s.nodes[0].Status.Allocatable["cpu"] = resource.MustParse("50m")
			},
			ShouldRun, "Unscheduled: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.", "lower the request of cpu to at most 50m: the whole node has no more", "the scheduler binds the Pod when it can; the controller waits",
		},
		"a container crashes": {
			func(s *scene) {
				p := waiting(s.pod("n1", "new"), "CrashLoopBackOff", "back-off 5m0s", 7)
				p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
			},
			ShouldRun, "CrashLoop: container app: 7 restarts, CrashLoopBackOff; it last ended with exit code 137 (OOMKilled)", "kubectl -n monitoring logs exporter-n1bcdfghjk --all-containers --previous", "the kubelet restarts the container, with pauses of up to 5 minutes",
		},
		"a container is not started": {
			func(s *scene) {
				waiting(s.pod("n1", "new"), "CreateContainerConfigError", `configmap "app" not found`, 0)
			},
			ShouldRun, `ContainerNotStarted: container app: CreateContainerConfigError: configmap "app" not found`, "kubectl -n monitoring describe pod exporter-n1bcdfghjk", "the kubelet goes on; the controller waits",
		},
		"the node fell silent": {
			func(s *scene) {
				s.pod("n1", "new").Status.Conditions[0].Status = corev1.ConditionFalse
				c := &s.nodes[0].Status.Conditions[0]
				c.Status, c.Reason, c.Message, c.LastTransitionTime = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status.", metav1.NewTime(t0.Add(-3*time.Minute))
			},
			ShouldRun, "NodeNotReady: node n1 is silent (Ready is Unknown) for 3m: NodeStatusUnknown: Kubelet stopped posting node status.", "kubectl describe node n1", "the Pod stays on the node; how it fares is known when the node is Ready again",
		},
		"a Pod ends, and a finalizer holds it": {
			func(s *scene) {
				p, grace := s.pod("n1", "new"), int64(30)
				p.DeletionTimestamp, p.DeletionGracePeriodSeconds, p.Finalizers = &metav1.Time{Time: t0.Add(-time.Minute)}, &grace, []string{"example.com/hold"}
			},
			ShouldRun, "PodTerminating: exporter-n1bcdfghjk", "whoever set finalizer example.com/hold on Pod exporter-n1bcdfghjk has to remove it", "a new Pod is created as soon as the old one has ended; there is no limit to that wait",
		},
		"two rules say no": {
			func(s *scene) {
				s.ds.Spec.Template.Spec.NodeSelector = map[string]string{"zone": "b"}
				s.nodes[0].Spec.Taints = []corev1.Taint{{Key: "out", Effect: corev1.TaintEffectNoExecute}}
				s.Revisions = nil
				s.revision(1, "new")
			},
			MustNot, "NodeSelectorMismatch: zone=a (wants b)", "kubectl label node n1 zone=b --overwrite | add to spec.template.spec.tolerations: {key: out, operator: Exists, effect: NoExecute} | or: kubectl taint node n1 out:NoExecute-", "nothing; a change of the node or of the template is noticed at once",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 1)
			s.revision(1, "new")
			c.make(s)
			n := s.book().Node("n1")
			if n.Answer != c.answer || reasonText(n.Reason) != c.reason || n.Next != c.next {
				t.Errorf("answer %s\nreason %s\nwant   %s\nnext   %s", n.Answer, reasonText(n.Reason), c.reason, n.Next)
			}
			if got := strings.Join(n.Changes, " | "); !strings.Contains(got, c.change) || (c.change == "") != (got == "") {
				t.Errorf("changes = %s", got)
			}
		})
	}
}

// A node that nobody knows has an answer too.
func TestUnknownNode(t *testing.T) {
	s := newScene(t, 1)
	s.revision(1, "new")
	n := s.book().Node("n9")
	if n.Answer != MustNot || n.Reason != (Reason{Code: fleet.NodeGone, Detail: "no node of that name exists"}) {
		t.Errorf("%s, %+v", n.Answer, n.Reason)
	}
}

// Who may not read nodes or Pods is told that nothing is known, rather than that nothing is there.
func TestWhatMayNotBeRead(t *testing.T) {
	s := newScene(t, 0)
	s.revision(1, "new")
	s.pod("n1", "new")
	waiting(s.pod("n2", "new"), "ErrImagePull", "not found", 0)
	s.Missing = []snapshot.Missing{{Verb: "list", Resource: "nodes"}}
	b := s.book()
	for node, want := range map[string]string{
		"n1": "runs Available",
		"n2": "may run or not ImagePullFailed: container app: image example.com/app:1: ErrImagePull: not found",
		"n3": "may run or not NotRead: nodes may not be read",
	} {
		if n := b.Node(node); string(n.Answer)+" "+reasonText(n.Reason) != want || len(n.Checks) != 0 {
			t.Errorf("%s %s, checks %v", n.Answer, reasonText(n.Reason), n.Checks)
		}
	}
	s = newScene(t, 1)
	s.revision(1, "new")
	s.Missing = []snapshot.Missing{{Verb: "list", Resource: "pods"}}
	if n := s.book().Node("n1"); n.Answer != Unknown || reasonText(n.Reason) != "NotRead: Pods may not be read" {
		t.Errorf("%s %s", n.Answer, reasonText(n.Reason))
	}
}

// Every code that fleet has is put into words.
func TestPhrases(t *testing.T) {
	source, err := os.ReadFile("../fleet/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	known := Codes()
	for line := range strings.Lines(string(source)) {
		fields := strings.Fields(line)
		if len(fields) == 4 && fields[1] == "Code" && fields[2] == "=" {
			if code := fleet.Code(strings.Trim(fields[3], `"`)); !slices.Contains(known, code) {
				t.Errorf("%s has no phrase", code)
			}
		}
	}
}
