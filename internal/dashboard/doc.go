// Package dashboard is the window: a Grafana dashboard as Go values.
//
// In: nothing but the names of everynode's metrics, which a test of internal/reference compares with those that exist.
//
// Out: the JSON that Grafana imports. It is committed as config/dashboards/everynode.json and written by go generate.
//
// Never: it draws nothing, asks no Prometheus, and has no option: who wants another dashboard copies this one.
package dashboard
