package simnode

import (
	"testing"
)

// What a nodes file can ask for in a few bytes must neither fill the memory nor leave the range of numbers.
func TestGroupsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		file, want string // the name of the last node, or the error
	}{
		"more than addresses": {"groups: [{count: 65536}]", "document 1: groups[0]: count is 65536: the simulated network has 65535 addresses, and 0 nodes already"},
		"two thousand million": {
			"groups: [{count: 1}, {count: 2000000000}]",
			"document 1: groups[1]: count is 2000000000: the simulated network has 65535 addresses, and 1 nodes already",
		},
		"beside a number that nothing follows": {"kind: Node\napiVersion: v1\nmetadata: {name: node-9223372036854775807}\n---\ngroups: [{count: 2}]", "node-002"},
		"more than a kubelet counts":           {"groups: [{count: 1, capacity: {memory: 100E}}]", `document 1: groups[0]: capacity memory="100E" is no amount: write it as in a Pod, for example 500m, 4 or 16Gi`},
		"two bad amounts":                      {"groups: [{count: 1, capacity: {memory: some, cpu: few}}]", `document 1: groups[0]: capacity cpu="few" is no amount: write it as in a Pod, for example 500m, 4 or 16Gi`},
	} {
		nodes, err := parse([]byte(test.file))
		got := ""
		if err != nil {
			got = err.Error()
		} else if len(nodes) > 0 {
			got = nodes[len(nodes)-1].Name
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestLastAddress(t *testing.T) {
	others := make([]string, 65534)
	if nodes, err := (Template{}).Nodes(1, others); err != nil || len(nodes) != 1 || nodes[0].Name != "node-001" {
		t.Errorf("the last address: %v, %v", nodes, err)
	}
	if nodes, err := (Template{}).Nodes(2, others); err == nil {
		t.Errorf("two nodes for one address: %v", nodes)
	}
}

// A reason is one word, whatever stands between two.
func TestReasonIsOneWord(t *testing.T) {
	for _, value := range []string{"Out of", "Out\rof", "Out\u00a0of", "", " : why"} {
		if got, ok := splitReason(value); ok {
			t.Errorf("%q is read as %+v", value, got)
		}
	}
	if got, ok := splitReason(" OutOfcpu : none left "); !ok || got != (refusal{"OutOfcpu", "none left"}) {
		t.Errorf("got %+v, %v", got, ok)
	}
}
