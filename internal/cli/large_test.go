package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/internal/revision"
	"github.com/everynode/everynode/internal/snapshot"
)

var taken = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// generated is a cluster in which every DaemonSet has a Ready Pod on every node. Every 50th node is tainted.
func generated(t testing.TB, nodes, daemons int) *snapshot.Snapshot {
	t.Helper()
	s := &snapshot.Snapshot{Taken: taken, Server: "v1.37.2"}
	version := 1
	meta := func(namespace, name string) metav1.ObjectMeta {
		version++
		return metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), ResourceVersion: fmt.Sprint(version), Generation: 1,
			CreationTimestamp: metav1.NewTime(taken.Add(-time.Hour)),
		}
	}
	for i := range nodes {
		n := &corev1.Node{ObjectMeta: meta("", fmt.Sprintf("node-%04d", i+1))}
		n.Labels = map[string]string{corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", i%3), "kubernetes.io/os": "linux"}
		n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("16"), corev1.ResourceMemory: resource.MustParse("64Gi"), corev1.ResourcePods: resource.MustParse("110")}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		if i%50 == 49 {
			n.Spec.Taints = []corev1.Taint{{Key: "gpu", Value: "true", Effect: corev1.TaintEffectNoSchedule}}
		}
		if err := s.AddNode(n); err != nil {
			t.Fatal(err)
		}
	}
	for i := range daemons {
		name := fmt.Sprintf("daemon-%02d", i+1)
		ds := &appsv1.DaemonSet{ObjectMeta: meta("system", name), Spec: daemonSpec(name)}
		ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "1"}
		preview.Default(ds)
		rev, err := revision.New(ds, 1)
		if err != nil {
			t.Fatal(err)
		}
		rev.UID, rev.ResourceVersion, rev.CreationTimestamp = types.UID("rev-"+name), "1", ds.CreationTimestamp
		s.AddDaemonSet(ds)
		s.AddRevision(rev)
		for j := range nodes {
			if j%50 == 49 {
				continue
			}
			p := &corev1.Pod{ObjectMeta: meta("system", fmt.Sprintf("%s-%010d", name, j+1)), Spec: *ds.Spec.Template.Spec.DeepCopy()}
			p.Labels = map[string]string{"app": name, appsv1.DefaultDaemonSetUniqueLabelKey: revision.HashOf(rev)}
			p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))}
			p.Spec.NodeName, p.Status.Phase = fmt.Sprintf("node-%04d", j+1), corev1.PodRunning
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(taken.Add(-time.Hour + 9*time.Second))}}
			if err := s.AddPod(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func daemonSpec(name string) appsv1.DaemonSetSpec {
	labels := map[string]string{"app": name}
	return appsv1.DaemonSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "main", Image: "example.com/" + name + ":1",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")}},
			}}},
		},
	}
}

// manifestOf is a DaemonSet of generated with another image.
func manifestOf(name, image string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: DaemonSet
metadata: {name: %[1]s, namespace: system}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
      - name: main
        image: %[2]s
        resources: {requests: {cpu: 100m, memory: 64Mi}}
---
`, name, image)
}

func saved(t testing.TB, s *snapshot.Snapshot) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Write(f, s); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// typed runs a command as a person would type it, with something on stdin, no terminal and no cluster.
func typed(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	var out, errOut bytes.Buffer
	env := Env{Streams: genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut}, Program: "everynode"}
	for _, cmd := range Commands(env) {
		if cmd.Name() != args[0] {
			continue
		}
		cmd.SetArgs(args[1:])
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		code = Code(&errOut, cmd.ExecuteContext(t.Context()))
		return out.String(), errOut.String(), code
	}
	t.Fatal(errors.New("there is no command " + args[0]))
	return
}

// BenchmarkPlan measures `plan --snapshot` on 5,000 nodes with 20 DaemonSets: of one that changes, and of all.
func BenchmarkPlan(b *testing.B) {
	file := saved(b, generated(b, 5000, 20))
	all := ""
	for i := range 20 {
		name := fmt.Sprintf("daemon-%02d", i+1)
		all += manifestOf(name, "example.com/"+name+":2")
	}
	for name, manifest := range map[string]string{"one": manifestOf("daemon-07", "example.com/daemon-07:2"), "all": all} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				out, errOut, code := typed(b, manifest, "plan", "--snapshot", file, "-f", "-")
				if code != ExitChanges || !strings.Contains(out, "replace    4900") {
					b.Fatalf("exit code %d\n%s%s", code, out, errOut)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-from-OS")
		})
	}
}
