package kubeversion

import (
	"os"
	"runtime/debug"
	"strings"
	"testing"

	utilversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-base/version"
)

func TestVersionParses(t *testing.T) {
	got := version.Get()
	if _, err := utilversion.ParseSemantic(got.GitVersion); err != nil {
		t.Fatalf("GitVersion %q: %v", got.GitVersion, err)
	}
	if strings.HasPrefix(got.GitVersion, placeholder) || got.Major != "1" || got.Minor == "" {
		t.Fatalf("version = %+v", got)
	}
	if strings.Contains(got.GitCommit, "$Format") {
		t.Errorf("GitCommit = %q", got.GitCommit)
	}
}

func TestPinnedIsWhatGoModRequires(t *testing.T) {
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), "k8s.io/kubernetes "+pinned) {
		t.Errorf("go.mod does not require k8s.io/kubernetes %s", pinned)
	}
}

func TestFromModules(t *testing.T) {
	for _, c := range []struct{ version, want string }{
		{"v0.40.1", "v1.40.1"},
		{"v0.40.0-rc.1", "v1.40.0-rc.1"},
		{"(devel)", pinned},
	} {
		got := fromModules([]*debug.Module{{Path: "k8s.io/api", Version: "v9.9.9"}, {Path: "k8s.io/component-base", Version: c.version}})
		if got != c.want {
			t.Errorf("fromModules(%s) = %s, want %s", c.version, got, c.want)
		}
	}
}
