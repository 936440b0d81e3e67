// Package metrics is the meters: every metric that everynode exposes is declared in one file, and its help text is its
// documentation.
//
// In: what the engine counts. Out: a Prometheus registry.
//
// Never: no label names a node or a Pod, so the number of series does not grow with the fleet. A nil Set counts nothing.
package metrics
