package preview

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func manifest(t *testing.T, text string) []byte {
	t.Helper()
	out, err := yaml.YAMLToJSON([]byte("apiVersion: apps/v1\nkind: DaemonSet\n" + strings.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func apply(t *testing.T, live *appsv1.DaemonSet, text string) *appsv1.DaemonSet {
	t.Helper()
	ds, err := Applied(live, manifest(t, text), epoch)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// What kubectl apply set the last time and sets no longer is removed; what others set stays.
func TestAppliedRemovesOnlyItsOwn(t *testing.T) {
	first, err := withLastApplied(manifest(t, agentV1))
	if err != nil {
		t.Fatal(err)
	}
	live := apply(t, nil, string(mustYAML(t, first)))
	live.UID = "uid"
	live.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "yesterday"}

	got := apply(t, live, strings.Replace(agentV1, "      nodeSelector: {disk: ssd}\n", "", 1))

	if got.Spec.Template.Spec.NodeSelector != nil {
		t.Errorf("the node selector %v should be gone", got.Spec.Template.Spec.NodeSelector)
	}
	if got.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] != "yesterday" {
		t.Error("the annotation of somebody else should stay")
	}
	if got.UID != "uid" || got.Generation != 2 || got.Annotations[appsv1.DeprecatedTemplateGeneration] != "2" {
		t.Errorf("UID %s, generation %d, template generation %s; want uid, 2, 2", got.UID, got.Generation, got.Annotations[appsv1.DeprecatedTemplateGeneration])
	}
}

func TestAppliedAgainChangesNothing(t *testing.T) {
	first, err := withLastApplied(manifest(t, agentV2))
	if err != nil {
		t.Fatal(err)
	}
	live := apply(t, nil, string(mustYAML(t, first)))
	got := apply(t, live, agentV2)
	if TemplateChanged(live, got) || got.Generation != 1 {
		t.Errorf("the template changed, or the generation did: %d", got.Generation)
	}
}

func TestAppliedRefusesWhatAServerWould(t *testing.T) {
	live := apply(t, nil, agentV1)
	for _, c := range []struct{ from, to, field, why string }{
		{"matchLabels: {app: agent}", "matchLabels: {app: other}", "spec.selector", "cannot be changed"},
		{"labels: {app: agent}}\n    spec", "labels: {app: other}}\n    spec", "spec.template.metadata.labels", "do not match spec.selector"},
		{"nodeSelector: {disk: ssd}", "restartPolicy: Never", "spec.template.spec.restartPolicy", "Always"},
		{"  template:", "  updateStrategy: {rollingUpdate: {maxUnavailable: 0}}\n  template:", "spec.updateStrategy.rollingUpdate.maxUnavailable", "cannot be 0"},
		{"  template:", "  updateStrategy: {rollingUpdate: {maxSurge: 1}}\n  template:", "spec.updateStrategy.rollingUpdate.maxSurge", "may not be set"},
		{"  template:", "  updateStrategy: {rollingUpdate: {maxUnavailable: many}}\n  template:", "spec.updateStrategy.rollingUpdate.maxUnavailable", "many"},
		{"  template:", "  updateStrategy: {type: Sometimes}\n  template:", "spec.updateStrategy.type", "Sometimes"},
	} {
		_, err := Applied(live, manifest(t, strings.Replace(agentV1, c.from, c.to, 1)), epoch)
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Field != c.field || !strings.Contains(invalid.Why, c.why) {
			t.Errorf("%s: got %v, want field %s and %q", c.to, err, c.field, c.why)
		}
	}
}

func TestPullPolicyFollowsTheTag(t *testing.T) {
	for image, want := range map[string]corev1.PullPolicy{
		"a": "Always", "a:latest": "Always", "a:1": "IfNotPresent", "host:5000/a": "Always", "host:5000/a:1": "IfNotPresent", "a@sha256:00": "IfNotPresent",
	} {
		c := corev1.Container{Image: image}
		if defaultContainer(&c); c.ImagePullPolicy != want {
			t.Errorf("%s: %s, want %s", image, c.ImagePullPolicy, want)
		}
	}
}

func mustYAML(t *testing.T, text []byte) []byte {
	t.Helper()
	out, err := yaml.JSONToYAML(text)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.NewReplacer("apiVersion: apps/v1\n", "", "kind: DaemonSet\n", "").Replace(string(out)))
}
