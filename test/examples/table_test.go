package examples

import (
	"fmt"
	"slices"
	"strings"
)

// daemon is one DaemonSet of an example and the nodes that run it on the default fleet.
type daemon struct {
	namespace, name string
	nodes           []int
}

func (d daemon) String() string { return d.namespace + "/" + d.name }

// The default fleet: 12 nodes; zone local-a has the odd ones, local-b the even ones; 3, 6, 9 and 12 are storage
// hardware with NVMe disks; 10 is cordoned, which every daemon tolerates; 11 is tainted dedicated=special:NoSchedule.
var (
	everywhere = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	untainted  = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12}
	storage    = []int{3, 6, 9, 12}
	general    = []int{1, 2, 4, 5, 7, 8, 10, 11}
	nowhere    = []int{}
)

// table says for each example which nodes run it.
var table = map[string][]daemon{
	"ceph.yaml":     {{"ceph-csi", "csi-rbdplugin", untainted}},
	"collectd.yaml": {{"collectd", "collectd", untainted}},
	"datadog.yaml":  {{"datadog", "datadog-agent", untainted}},
	"fluentd.yaml":  {{"kube-system", "fluentd", everywhere}},
	"glusterd.yaml": {{"glusterfs", "glusterd", nowhere}}, // no node has its label yet
	"hardware-types.yaml": {
		{"vector", "vector-general", general}, {"vector", "vector-storage", storage}, {"vector", "vector-other", nowhere},
	},
	"logstash.yaml": {{"logstash", "logstash", untainted}},
	"nginx.yaml":    {{"nginx-ingress", "nginx-ingress", untainted}},
	// Disks, without 12: 3, 6, 9. General in local-b: 2, 4, 8, 10. The third term needs a label that no node has.
	"node-affinity.yaml": {{"dns-cache", "node-local-dns", []int{2, 3, 4, 6, 8, 9, 10}}},
	"node-exporter.yaml": {{"monitoring", "node-exporter", untainted}},
	"node-selector.yaml": {{"disk-health", "smartctl-exporter", storage}},
}

// nodeNames are the names of the nodes with these numbers.
func nodeNames(numbers []int) []string {
	names := []string{}
	for _, number := range numbers {
		names = append(names, fmt.Sprintf("node-%03d", number))
	}
	return names
}

// words renders a row the way that examples/README.md does.
func words(numbers []int) string {
	missing := []string{}
	for _, number := range everywhere {
		if !slices.Contains(numbers, number) {
			missing = append(missing, fmt.Sprintf("%03d", number))
		}
	}
	switch {
	case len(numbers) == 0:
		return "none"
	case len(missing) == 0:
		return "all 12"
	case len(missing) <= 3:
		return "all but " + strings.Join(missing, " ")
	}
	present := []string{}
	for _, number := range numbers {
		present = append(present, fmt.Sprintf("%03d", number))
	}
	return strings.Join(present, " ")
}
