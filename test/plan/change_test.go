package plan

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// shape is all that a generated DaemonSet may differ in.
type shape struct {
	name        string
	port        int
	image       int
	env         int
	tolerates   bool
	hardware    string // nodeSelector
	zone        string // node affinity
	slot        bool   // asks for a resource that general hardware lacks
	hostPort    bool
	unavailable string
	surge       string
	onDelete    bool
	minReady    int
	label       int // of the DaemonSet, no part of the template
}

// change draws another shape, one to three fields away.
func (s shape) change(r *rand.Rand) shape {
	pick := func(among ...string) string { return among[r.IntN(len(among))] }
	for range 1 + r.IntN(3) {
		switch r.IntN(12) {
		case 0, 1, 2:
			s.image = 1 + r.IntN(4)
		case 3:
			s.env = r.IntN(3)
		case 4:
			s.tolerates = !s.tolerates
		case 5:
			s.hardware = pick("", "", "general", "storage")
		case 6:
			s.zone = pick("", "", "local-a", "local-b")
		case 7:
			s.slot = !s.slot
		case 8:
			s.hostPort = !s.hostPort
		case 9:
			s.unavailable, s.surge = pick("1", "2", "3", "25%", "50%", "100%"), "0"
			if r.IntN(3) == 0 {
				s.unavailable, s.surge = "0", pick("1", "2", "50%")
			}
		case 10:
			s.onDelete, s.minReady = r.IntN(4) == 0, r.IntN(2)
		case 11:
			s.label++
		}
	}
	return s
}

func (s shape) manifest() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: %s, namespace: default, labels: {round: r%d}}", s.name, s.label)
	line("spec:\n  minReadySeconds: %d\n  selector: {matchLabels: {app: %s}}", s.minReady, s.name)
	if s.onDelete {
		line("  updateStrategy: {type: OnDelete, rollingUpdate: null}")
	} else {
		line("  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: %s, maxSurge: %s}}", s.unavailable, s.surge)
	}
	line("  template:\n    metadata: {labels: {app: %s}}\n    spec:", s.name)
	if s.tolerates {
		line("      tolerations: [{key: dedicated, operator: Exists}]")
	}
	if s.hardware != "" {
		line("      nodeSelector: {everynode.dev/hardware: %s}", s.hardware)
	}
	if s.zone != "" {
		line("      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [%s]}]}]}}}", s.zone)
	}
	line("      containers:\n      - name: main\n        image: example.com/%s:%d", s.name, s.image)
	if s.env > 0 {
		line("        env: [{name: LEVEL, value: \"%d\"}]", s.env)
	}
	if s.slot {
		line("        resources: {limits: {example.com/slot: 1}}")
	}
	if s.hostPort {
		line("        ports: [{containerPort: 80, hostPort: %d}]", s.port)
	}
	return b.String()
}
