package config

import "embed"

//go:embed rbac/*.yaml
var files embed.FS

// The manifests, in an order in which they can be applied.
const (
	Namespace  = "rbac/00-namespace.yaml"
	Controller = "rbac/controller.yaml"
	Simnode    = "rbac/simnode.yaml"
)

// Read gives one manifest.
func Read(name string) ([]byte, error) { return files.ReadFile(name) }
