// Package config holds the manifests that give everynode its rights in a cluster.
//
// Comes in: the YAML files beside it. Goes out: the same bytes, embedded, for `everynode up`; a person applies the
// files themselves with kubectl apply -f config/rbac/. Because both use the same files, rights that are missing in a
// real cluster are missing in every test too.
//
// Never: contains logic, or manifests that only the lab could use.
package config
