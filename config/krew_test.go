package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// plugin is what krew wants of a manifest (krew.googlecontainertools.github.com/v1alpha2).
type plugin struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string `json:"version"`
		Homepage         string `json:"homepage"`
		ShortDescription string `json:"shortDescription"`
		Description      string `json:"description"`
		Caveats          string `json:"caveats"`
		Platforms        []struct {
			Selector struct {
				MatchLabels map[string]string `json:"matchLabels"`
			} `json:"selector"`
			URI    string `json:"uri"`
			SHA256 string `json:"sha256"`
			Bin    string `json:"bin"`
			Files  []struct {
				From string `json:"from"`
				To   string `json:"to"`
			} `json:"files"`
		} `json:"platforms"`
	} `json:"spec"`
}

var platforms = []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"}

// krew runs the script over a release of empty archives but for one.
func krew(t *testing.T, version string, archives ...string) (string, string, error) {
	t.Helper()
	dist := t.TempDir()
	for _, a := range archives {
		if err := os.WriteFile(filepath.Join(dist, "kubectl-everynode_"+version+"_"+a+".tar.gz"), []byte(a), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("../hack/krew.sh", version, "https://releases.example/v", dist)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	return string(out), talk.String(), err
}

func TestTheKrewManifestOfARelease(t *testing.T) {
	text, talk, err := krew(t, "v1.2.3", platforms...)
	if err != nil {
		t.Fatalf("%v: %s", err, talk)
	}
	var p plugin
	if err := yaml.UnmarshalStrict([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if p.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || p.Kind != "Plugin" || p.Metadata.Name != "everynode" || p.Spec.Version != "v1.2.3" {
		t.Errorf("it is %s %s %s %s", p.APIVersion, p.Kind, p.Metadata.Name, p.Spec.Version)
	}
	if n := len(p.Spec.ShortDescription); n == 0 || n > 50 || strings.HasSuffix(p.Spec.ShortDescription, ".") {
		t.Errorf("the short description has %d letters: %q", n, p.Spec.ShortDescription)
	}
	if p.Spec.Description == "" || p.Spec.Homepage == "" || p.Spec.Caveats == "" {
		t.Errorf("a text is missing: %+v", p.Spec)
	}
	if len(p.Spec.Platforms) != len(platforms) {
		t.Fatalf("%d platforms, want %d", len(p.Spec.Platforms), len(platforms))
	}
	for i, f := range p.Spec.Platforms {
		name := f.Selector.MatchLabels["os"] + "_" + f.Selector.MatchLabels["arch"]
		if name != platforms[i] || f.URI != "https://releases.example/v/kubectl-everynode_v1.2.3_"+name+".tar.gz" {
			t.Errorf("%s comes from %s", name, f.URI)
		}
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(f.SHA256) {
			t.Errorf("%s has the sum %q", name, f.SHA256)
		}
		if f.Bin != "kubectl-everynode" || len(f.Files) != 2 || f.Files[0].From != f.Bin || f.Files[1].From != "LICENSE" {
			t.Errorf("%s installs %+v, runs %s", name, f.Files, f.Bin)
		}
	}
	// printf linux_amd64 | sha256sum
	if got, want := p.Spec.Platforms[0].SHA256, "6e42b235a426c6ab149ad1b1f5ae3c0894409575c45d47698630034658cf0963"; got != want {
		t.Errorf("the sum of linux_amd64 is %s", got)
	}
}

func TestAnIncompleteReleaseHasNoKrewManifest(t *testing.T) {
	for want, run := range map[string]func() (string, string, error){
		"_darwin_arm64.tar.gz\n  build the plugin for darwin_arm64 first": func() (string, string, error) { return krew(t, "v1.2.3", platforms[:3]...) },
		"version 1.2.3 does not begin with v":                             func() (string, string, error) { return krew(t, "1.2.3", platforms...) },
	} {
		out, talk, err := run()
		if err == nil || out != "" || !strings.Contains(talk, want) {
			t.Errorf("%v: %q on stdout, %q on stderr; want %q", err, out, talk, want)
		}
	}
}
