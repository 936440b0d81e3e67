// Package kubeversion gives the embedded Kubernetes its true version.
//
// Comes in: the module versions that the Go linker recorded in this binary. Goes out: k8s.io/component-base/version
// says "v1.37.2" instead of "v0.0.0-master+$Format:%H$", which kubectl refuses to parse.
//
// Upstream sets its version with linker flags, and its one function for changing it (SetDynamicVersion) accepts only
// what the flags allow. `go install …@latest` takes no flags, so this package reaches the same variables by linkname.
// It imports nothing but that version package, because Go then initialises it before every package that copies the
// version when the program starts.
//
// Never: changes a version that linker flags have set; imports anything else of Kubernetes.
package kubeversion
