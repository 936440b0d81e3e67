package cli

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

var update = flag.Bool("update", false, "write what is printed into testdata")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\n  make it: go test ./internal/cli -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\n  if that is meant: go test ./internal/cli -update", path, diff)
	}
}

// small is a cluster of a dozen nodes with three DaemonSets, one node of it NotReady.
func small(t *testing.T) string {
	s := generated(t, 60, 3)
	s.Nodes[6].Ready = corev1.ConditionUnknown
	for i := range s.Pods {
		if p := &s.Pods[i]; p.Node == s.Nodes[6].Name {
			p.Ready.Status = corev1.ConditionFalse
		}
	}
	return saved(t, s)
}

const daemon2 = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: daemon-02, namespace: system}
spec:
  selector: {matchLabels: {app: daemon-02}}
  updateStrategy: {rollingUpdate: {maxUnavailable: 10%}}
  template:
    metadata: {labels: {app: daemon-02}}
    spec:
      tolerations: [{key: gpu, operator: Exists}]
      containers:
      - name: main
        image: example.com/daemon-02:2
        resources: {requests: {cpu: 250m, memory: 64Mi}}
        readinessProbe: {tcpSocket: {port: 80}}
`

func TestPlanForPeople(t *testing.T) {
	out, errOut, code := typed(t, daemon2, "plan", "-f", "-", "--snapshot", small(t))
	if code != ExitChanges {
		t.Errorf("exit code %d, want %d\n%s", code, ExitChanges, errOut)
	}
	golden(t, "plan.txt", out)
	if !strings.HasSuffix(errOut, "Nothing was changed. To apply it: kubectl apply -f -\n") {
		t.Errorf("stderr: %q", errOut)
	}
}

func TestPlanForPrograms(t *testing.T) {
	out, _, code := typed(t, daemon2, "plan", "-f", "-", "--snapshot", small(t), "-o", "json")
	if code != ExitChanges {
		t.Errorf("exit code %d, want %d", code, ExitChanges)
	}
	golden(t, "plan.json", out)
	yaml, _, code := typed(t, daemon2, "plan", "-f", "-", "--snapshot", small(t), "-o", "yaml")
	if code != ExitChanges || !strings.Contains(yaml, "version: "+PlanVersion) {
		t.Errorf("-o yaml, exit code %d:\n%s", code, yaml)
	}
}

func TestPlanSimulates(t *testing.T) {
	out, _, _ := typed(t, daemon2, "plan", "-f", "-", "--snapshot", small(t), "--fail-node", "node-0005=20s", "--slow-node", "node-0004=2m")
	golden(t, "simulate.txt", out)
}

func TestPlanOfNothingAndOfSomethingNew(t *testing.T) {
	file := saved(t, generated(t, 4, 1))
	same := manifestOf("daemon-01", "example.com/daemon-01:1")
	out, errOut, code := typed(t, same, "plan", "-f", "-", "--snapshot", file)
	if code != 0 || errOut != "Nothing would change.\n" {
		t.Errorf("exit code %d, stderr %q, want 0 and no change\n%s", code, errOut, out)
	}
	golden(t, "plan-none.txt", out)
	out, errOut, code = typed(t, manifestOf("fresh", "example.com/fresh:1")+"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", "plan", "-f", "-", "--snapshot", file)
	if code != ExitChanges || !strings.HasPrefix(errOut, "note: 1 object of other kinds not looked at\n") {
		t.Errorf("exit code %d, stderr %q", code, errOut)
	}
	golden(t, "plan-new.txt", out)
}

func TestPlanErrors(t *testing.T) {
	file := saved(t, generated(t, 4, 1))
	good := manifestOf("daemon-01", "example.com/daemon-01:1")
	for _, c := range []struct {
		name, stdin string
		args        []string
		want        string
	}{
		{"nothing named", "", nil, "error: no manifest is named\n  name a file:          -f FILE, or -f - for stdin\n  or a kustomization:   -k DIRECTORY\n"},
		{"broken", strings.Replace(good, "image:", "imagee:", 1), []string{"-f", "-"}, "error: the manifest cannot be used\n  STDIN:11: spec.template.spec.containers[0].imagee: there is no such field in a DaemonSet of apps/v1\n  nothing was planned\n"},
		{"refused", strings.Replace(good, "matchLabels: {app: daemon-01}", "matchLabels: {app: other}", 1), []string{"-f", "-"}, "error: the API server would refuse the manifest\n  STDIN:5: spec.selector: it cannot be changed after creation (it is app=daemon-01)\n  nothing was planned\n"},
		{"no DaemonSet", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", []string{"-f", "-"}, "error: there is no DaemonSet in it\n  1 object of other kinds\n  name a file that has one: -f FILE\n"},
		{"twice", good + good, []string{"-f", "-"}, "error: the change cannot be previewed\n  DaemonSet system/daemon-01 occurs twice: which of the two is meant cannot be told; remove one\n"},
		{"no such node", good, []string{"-f", "-", "--fail-node", "nowhere"}, "error: the change cannot be previewed\n  node \"nowhere\" does not exist in this cluster: it can be neither slow nor fail; see: kubectl get nodes\n"},
		{"no duration", good, []string{"-f", "-", "--slow-node", "node-0001=long"}, "error: --slow-node node-0001=long: \"long\" is no duration\n  for instance: --slow-node node-0001=90s\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errOut, code := typed(t, c.stdin, append([]string{"plan", "--snapshot", file}, c.args...)...)
			if code != 1 || out != "" || errOut != c.want {
				t.Errorf("exit code %d, stdout %q, stderr\n%s\nwant\n%s", code, out, errOut, c.want)
			}
		})
	}
}

func TestStatusOfASnapshot(t *testing.T) {
	file := small(t)
	out, _, code := typed(t, "", "status", "-A", "--snapshot", file)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	golden(t, "status.txt", out)
	out, _, _ = typed(t, "", "status", "daemon-02", "--snapshot", file, "-o", "json")
	golden(t, "status.json", out)
	var r StatusReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Version != StatusVersion || len(r.Daemons) != 1 {
		t.Errorf("%v: %+v", err, r)
	}
	out, errOut, code := typed(t, "", "status", "-n", "empty", "--snapshot", file)
	if code != 0 || out != "" || errOut != "There are no DaemonSets in namespace empty.\n  all namespaces: -A\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errOut)
	}
	_, errOut, code = typed(t, "", "status", "--watch", "--snapshot", file)
	if code != 1 || !strings.HasPrefix(errOut, "error: --watch and --snapshot exclude each other\n") {
		t.Errorf("exit code %d, stderr %q", code, errOut)
	}
}
