package config

import "embed"

//go:embed rbac/*.yaml alerts/everynode.rules.yaml
var files embed.FS

// The manifests, in an order in which they can be applied.
const (
	Namespace  = "rbac/00-namespace.yaml"
	Controller = "rbac/controller.yaml"
	Simnode    = "rbac/simnode.yaml"
)

// Alerts are the rules for Prometheus.
const Alerts = "alerts/everynode.rules.yaml"

// Read gives one manifest, or the alerts.
func Read(name string) ([]byte, error) { return files.ReadFile(name) }
