package preview

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *appsv1.DaemonSet {
	t.Helper()
	ds := &appsv1.DaemonSet{}
	if err := yaml.UnmarshalStrict([]byte(text), ds); err != nil {
		t.Fatal(err)
	}
	Default(ds)
	return ds
}

const agentV1 = `
metadata: {name: agent, labels: {team: obs}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      nodeSelector: {disk: ssd}
      tolerations:
      - {key: gpu, operator: Exists, effect: NoSchedule}
      containers:
      - name: agent
        image: example.com/agent:1.0
        args: ["--log", "info"]
        env: [{name: LEVEL, value: info}, {name: OLD, value: "1"}]
        ports: [{containerPort: 8080}]
        resources: {requests: {cpu: 100m}}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes:
      - {name: data, emptyDir: {}}
`

const agentV2 = `
metadata: {name: agent, labels: {team: platform}}
spec:
  selector: {matchLabels: {app: agent}}
  minReadySeconds: 30
  updateStrategy: {rollingUpdate: {maxUnavailable: 10%}}
  template:
    metadata: {labels: {app: agent, version: "2"}}
    spec:
      hostNetwork: true
      tolerations:
      - {key: dedicated, value: db, effect: NoExecute}
      containers:
      - name: agent
        image: example.com/agent:2.0
        args: ["--log", "debug"]
        env: [{name: LEVEL, value: debug level}, {name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}]
        ports: [{containerPort: 8080, hostPort: 8080}, {containerPort: 53, protocol: UDP}]
        resources: {requests: {cpu: 200m, memory: 64Mi}}
        readinessProbe: {httpGet: {port: 8080, path: /ready}}
        volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
      - {name: sidecar, image: "example.com/sidecar:1.0"}
      volumes:
      - {name: data, hostPath: {path: /var/lib/agent}}
`

func TestDifferenceInWords(t *testing.T) {
	changes, err := Difference(parse(t, agentV1), parse(t, agentV2))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		mark := "  "
		if c.Template {
			mark = "* "
		}
		got = append(got, mark+c.Text)
	}
	want := []string{
		`  label team obs → platform`,
		`  minReadySeconds added: 30`,
		`* Pod label version added: 2`,
		`* container agent: args ["--log","info"] → ["--log","debug"]`,
		`* container agent: env OLD removed: 1`,
		`* container agent: env LEVEL info → "debug level"`,
		`* container agent: env TOKEN added: {"valueFrom":{"secretKeyRef":{"key":"k","name":"s"}}}`,
		`* container agent: image example.com/agent:1.0 → example.com/agent:2.0`,
		`* container agent: port 8080/TCP host port added: 8080`,
		`* container agent: port 53/UDP added: {"containerPort":53,"protocol":"UDP"}`,
		`* container agent: readiness probe added: {"failureThreshold":3,"httpGet":{"path":"/ready","port":8080,"scheme":"…`,
		`* container agent: requests cpu 100m → 200m`,
		`* container agent: requests memory added: 64Mi`,
		`* container agent: mount /data readOnly added: true`,
		`* container sidecar added: image example.com/sidecar:1.0`,
		`* host network added: true`,
		`* node selector disk removed: ssd`,
		`* toleration gpu:NoSchedule removed`,
		`* toleration dedicated=db:NoExecute added`,
		`* volume data emptyDir removed: {}`,
		`* volume data hostPath added: {"path":"/var/lib/agent","type":""}`,
		`  maxUnavailable 1 → 10%`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if i := slices.IndexFunc(changes, func(c Change) bool { return c.Field == "spec.template.spec.containers[agent].image" }); i < 0 ||
		changes[i].Old != "example.com/agent:1.0" || changes[i].New != "example.com/agent:2.0" {
		t.Errorf("the image's field, old and new value are not told: %+v", changes)
	}
}

// An order that only differs is another template for the API server, so it is told.
func TestOtherOrder(t *testing.T) {
	other := strings.Replace(agentV1, `{name: LEVEL, value: info}, {name: OLD, value: "1"}`, `{name: OLD, value: "1"}, {name: LEVEL, value: info}`, 1)
	changes, err := Difference(parse(t, agentV1), parse(t, other))
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 1 || changes[0].Text != "container agent: env: other order" || !changes[0].Template {
		t.Errorf("got %+v", changes)
	}
}

// What the API server would take for another template has at least one difference in it, and nothing else has.
func TestTemplateChangeHasADifference(t *testing.T) {
	lines := []string{
		"image: example.com/agent:1.0", `args: ["--log", "info"]`, "hostPort: 1", "cpu: 100m", "key: gpu", "effect: NoSchedule", "emptyDir: {}",
		"mountPath: /data", "value: info", "disk: ssd", "containerPort: 8080",
	}
	rapid.Check(t, func(r *rapid.T) {
		text := agentV1
		for _, from := range rapid.SliceOfN(rapid.SampledFrom(lines), 0, 3).Draw(r, "lines") {
			key, _, _ := strings.Cut(from, ":")
			to := map[string][]string{
				"args": {"args: []", `args: ["x"]`}, "containerPort": {"containerPort: 9090"}, "effect": {"effect: NoExecute", `effect: ""`},
				"emptyDir": {"emptyDir: {medium: Memory}", "hostPath: {path: /x}"}, "cpu": {"cpu: 250m", "cpu: 0.1", "memory: 1Gi"},
			}[key]
			if to == nil {
				to = []string{key + ": other"}
			}
			text = strings.ReplaceAll(text, from, rapid.SampledFrom(to).Draw(r, "to"))
		}
		a, b := parse(t, agentV1), parse(t, text)
		changes, err := Difference(a, b)
		if err != nil {
			r.Fatal(err)
		}
		told := slices.ContainsFunc(changes, func(c Change) bool { return c.Template })
		if told != TemplateChanged(a, b) {
			r.Fatalf("template changed: %v, differences: %+v", TemplateChanged(a, b), changes)
		}
	})
}
