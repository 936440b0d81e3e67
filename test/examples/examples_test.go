package examples

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// step changes labels and says what runs then. Labels are as kubectl takes them: key=value, or key- to remove.
type step struct {
	nodes []string
	label string
	then  []int
}

// steps are what the comments in a manifest invite its reader to try.
var steps = map[string][]step{
	"glusterd.yaml": {
		{nodeNames([]int{3, 5}), "storagenode=glusterfs", []int{3, 5}},
		{nodeNames([]int{3}), "storagenode-", []int{5}},
		{nodeNames([]int{5}), "storagenode-", nil},
	},
	"node-affinity.yaml": {
		// Gt is strictly greater: 25 is not enough.
		{nodeNames([]int{1}), "network.example.com/gbits=25", []int{2, 3, 4, 6, 8, 9, 10}},
		{nodeNames([]int{7}), "network.example.com/gbits=100", []int{2, 3, 4, 6, 7, 8, 9, 10}},
		{nodeNames([]int{1, 7}), "network.example.com/gbits-", []int{2, 3, 4, 6, 8, 9, 10}},
	},
}

// TestExamplesRunWhereTheTableSays applies each example to one control plane, one after the other.
func TestExamplesRunWhereTheTableSays(t *testing.T) {
	c := up(t)
	c.checkFleet(t)
	for _, file := range slices.Sorted(maps.Keys(table)) {
		if !t.Run(file, func(t *testing.T) { c.runExample(t, file) }) {
			return // what it left behind would make the next ones lie
		}
	}
}

// checkFleet makes sure that the nodes are those for which the table was worked out.
func (c *cluster) checkFleet(t *testing.T) {
	t.Helper()
	list, err := c.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	type facts struct {
		Zone, Hardware, Disk    string
		Cordoned, DedicatedOnly bool
	}
	got, want := map[string]facts{}, map[string]facts{}
	for i := range list.Items {
		node := &list.Items[i]
		got[node.Name] = facts{
			Zone: node.Labels[corev1.LabelTopologyZone], Hardware: node.Labels["everynode.dev/hardware"], Disk: node.Labels["everynode.dev/disk"],
			Cordoned: node.Spec.Unschedulable,
			DedicatedOnly: slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool {
				return taint.ToString() == "dedicated=special:NoSchedule"
			}),
		}
	}
	for i, name := range nodeNames(everywhere) {
		f := facts{Zone: []string{"local-a", "local-b"}[i%2], Hardware: "general", Cordoned: i+1 == 10, DedicatedOnly: i+1 == 11}
		if slices.Contains(storage, i+1) {
			f.Hardware, f.Disk = "storage", "nvme"
		}
		want[name] = f
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the default fleet is not the one of the table (-want +got):\n%s", diff)
	}
}

// runExample applies a file, checks every Pod from its first version on, and takes it all away again.
func (c *cluster) runExample(t *testing.T, file string) {
	before := len(c.pods.since(t, 0))
	path := filepath.Join(harness.Root(), "examples", file)
	t.Cleanup(func() { c.Kubectl(t, "delete", "--ignore-not-found", "--wait=false", "-f", path) })
	c.Kubectl(t, "apply", "-f", path)
	daemons := table[file]
	c.expect(t, daemons)
	created := placements(daemons)
	for _, s := range steps[file] {
		c.Kubectl(t, append(append([]string{"label", "node"}, s.nodes...), s.label)...)
		d := daemons[0]
		for _, node := range nodeNames(s.then) {
			if !slices.Contains(created[d.String()], node) {
				created[d.String()] = append(created[d.String()], node)
			}
		}
		slices.Sort(created[d.String()])
		d.nodes = s.then
		c.expect(t, []daemon{d})
	}
	c.sleep(t)
	for _, d := range daemons {
		c.Kubectl(t, "delete", "daemonset", "--wait=false", "-n", d.namespace, d.name)
	}
	c.expectEmpty(t)
	// Each Pod was bound in its first version, none was made twice, and none belonged to anything else.
	lives := c.pods.since(t, before)
	if diff := cmp.Diff(created, byOwner(lives)); diff != "" {
		t.Errorf("nodes in the first versions of all Pods ever created (-want +got):\n%s", diff)
	}
}
