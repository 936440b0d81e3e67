package kubeversion

import (
	"runtime/debug"
	"strings"
	_ "unsafe" // for go:linkname

	"k8s.io/component-base/version"
)

// The variables upstream fills with -ldflags -X.
var (
	//go:linkname gitVersion k8s.io/component-base/version.gitVersion
	gitVersion string
	//go:linkname gitMajor k8s.io/component-base/version.gitMajor
	gitMajor string
	//go:linkname gitMinor k8s.io/component-base/version.gitMinor
	gitMinor string
	//go:linkname gitCommit k8s.io/component-base/version.gitCommit
	gitCommit string
)

// pinned is used when the binary carries no module list (some build systems strip it). A test holds it to go.mod.
const pinned = "v1.37.2"

// placeholder is how the version of a build without linker flags begins.
const placeholder = "v0.0.0-master"

// Here, not in a function that main calls: k8s.io/apiserver registers the version in its own init.
func init() {
	if !strings.HasPrefix(gitVersion, placeholder) {
		return
	}
	want := pinned
	if info, ok := debug.ReadBuildInfo(); ok {
		want = fromModules(info.Deps)
	}
	gitVersion = want
	parts := strings.SplitN(strings.TrimPrefix(want, "v"), ".", 3)
	gitMajor, gitMinor = parts[0], parts[1]
	if strings.HasPrefix(gitCommit, "$Format") {
		gitCommit = "" // better nothing than a template
	}
	if err := version.SetDynamicVersion(want); err != nil {
		panic("kubeversion: " + err.Error()) // cannot be: it accepts whatever gitVersion holds
	}
}

// fromModules turns the version of a staging module (v0.37.2) into that of the Kubernetes it belongs to (v1.37.2).
func fromModules(deps []*debug.Module) string {
	for _, m := range deps {
		if m.Path == "k8s.io/component-base" && strings.HasPrefix(m.Version, "v0.") && strings.Count(m.Version, ".") >= 2 {
			return "v1." + strings.TrimPrefix(m.Version, "v0.")
		}
	}
	return pinned
}

// Get is the version of the embedded Kubernetes, such as v1.37.2.
func Get() string { return version.Get().GitVersion }
