package preview

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Warning is something that the API server accepts and that will hurt.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
	// Fix is what to do about it.
	Fix string `json:"fix"`
}

// The codes of warnings.
const (
	SelectorOverlap   = "SelectorOverlap"
	HostPortClash     = "HostPortClash"
	TolerationMissing = "TolerationMissing"
	NoRequests        = "NoRequests"
	SlowRollout       = "SlowRollout"
	NoReadiness       = "NoReadiness"
	NotCritical       = "NotCritical"
	SurgeHostPort     = "SurgeHostPort"
)

// slow is from when on a rollout is called slow.
const slow = 24 * time.Hour

func (d *draft) warn(f *fleet.Fleet, now *fleet.Daemon) {
	d.Warnings = []Warning{}
	if d.Kind == None {
		return
	}
	d.overlaps(f, now)
	d.portClashes(f, now)
	d.tolerationMissing()
	d.noRequests()
	d.slowRollout()
	d.noReadiness()
	d.notCritical()
	s := d.after.Spec.UpdateStrategy.RollingUpdate
	if s != nil && s.MaxSurge != nil && s.MaxSurge.String() != "0" && s.MaxSurge.String() != "0%" && len(now.HostPorts) > 0 {
		p := now.HostPorts[0]
		d.warning(SurgeHostPort, "Set maxUnavailable instead of maxSurge, or give up the host port.",
			"maxSurge is set, but two Pods cannot hold host port %d/%s of one node: everynode replaces in place, one node at a time", p.Port, p.Protocol)
	}
}

func (d *draft) warning(code, fix, format string, args ...any) {
	d.Warnings = append(d.Warnings, Warning{Code: code, Text: fmt.Sprintf(format, args...), Fix: fix})
}

// overlaps finds other workloads whose Pods the selector takes for its own, and DaemonSets that would take this one's.
func (d *draft) overlaps(f *fleet.Fleet, now *fleet.Daemon) {
	const fix = "Give both workloads labels of their own, and select by those."
	for _, o := range f.Daemons() {
		if o == now || o.Key.Namespace != now.Key.Namespace {
			continue
		}
		switch {
		case now.Matches(o.Object.Spec.Template.Labels):
			d.warning(SelectorOverlap, fix, "the selector also selects the Pods of DaemonSet %s", o.Key.Name)
		case o.Matches(d.after.Spec.Template.Labels):
			d.warning(SelectorOverlap, fix, "the selector of DaemonSet %s also selects these Pods", o.Key.Name)
		}
	}
	others := map[string]int{}
	for _, s := range now.Slots() {
		if s.Node == nil {
			continue
		}
		for pod := range s.Node.EachPod {
			if pod.Namespace == now.Key.Namespace && pod.Owner != now.UID && pod.OwnerKind != fleet.DaemonSetKind && now.Matches(pod.Labels) {
				owner := "of nobody, which would be adopted"
				if pod.Owner != "" {
					owner = "of " + pod.OwnerKind + " " + pod.OwnerName
				}
				others[owner]++
			}
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(others)) {
		d.warning(SelectorOverlap, fix, "the selector also selects %s %s", counted(others[owner], "Pod"), owner)
	}
}

// portClashes finds DaemonSets that ask for the same host port on the same nodes.
func (d *draft) portClashes(f *fleet.Fleet, now *fleet.Daemon) {
	for _, o := range f.Daemons() {
		if o == now {
			continue
		}
		port, clash := clashing(now.HostPorts, o.HostPorts)
		if !clash {
			continue
		}
		n := 0
		for _, s := range now.Slots() {
			if t := o.Slot(s.NodeName); t != nil && s.Verdict.ShouldRun() && t.Verdict.ShouldRun() {
				n++
			}
		}
		if n > 0 {
			d.warning(HostPortClash, "Choose another port for one of them.",
				"host port %d/%s is also asked for by DaemonSet %s on %s", port.Port, port.Protocol, o.Key, nodes(n))
		}
	}
}

func clashing(a, b []fleet.HostPort) (fleet.HostPort, bool) {
	for _, p := range a {
		for _, q := range b {
			if p.Clashes(q) {
				return p, true
			}
		}
	}
	return fleet.HostPort{}, false
}

// tolerationMissing tells of nodes that the old template reached and the new one does not, for a taint.
func (d *draft) tolerationMissing() {
	taints := map[string]int{}
	for _, l := range d.lost {
		if (l.Code == fleet.TaintNoSchedule || l.Code == fleet.TaintNoExecute) && d.was[l.Node].ShouldRun() {
			taints[l.Detail]++
		}
	}
	for _, taint := range slices.Sorted(maps.Keys(taints)) {
		d.warning(TolerationMissing, "Add the toleration again, if that is not meant.",
			"taint %s was tolerated and is no longer: %s will lose the daemon", taint, nodes(taints[taint]))
	}
}

func (d *draft) noRequests() {
	var without []string
	for _, c := range d.after.Spec.Template.Spec.Containers {
		var missing []string
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			_, requested := c.Resources.Requests[name]
			if _, limited := c.Resources.Limits[name]; !requested && !limited {
				missing = append(missing, string(name))
			}
		}
		if len(missing) > 0 {
			without = append(without, c.Name+" ("+strings.Join(missing, ", ")+")")
		}
	}
	if len(without) > 0 && d.after.Spec.Template.Spec.Resources == nil {
		d.warning(NoRequests, "Set resources.requests.", "no request: container %s; a node that runs short evicts such Pods first, and full nodes still take them",
			strings.Join(without, ", container "))
	}
}

func (d *draft) slowRollout() {
	r := d.Rollout
	if r.Takes == nil || r.Takes.Duration < slow || r.Total == 0 {
		return
	}
	name, width := "maxUnavailable", r.MaxUnavailable
	if r.Surging {
		name, width = "maxSurge", r.MaxSurge
	}
	d.warning(SlowRollout, "Set "+name+": 10%.", "the rollout takes about %s: %s of %s (%s)", Rough(r.Takes.Duration), counted(r.Total, "step"), nodes(width), name)
}

func (d *draft) noReadiness() {
	if d.after.Spec.UpdateStrategy.Type != appsv1.RollingUpdateDaemonSetStrategyType || d.after.Spec.MinReadySeconds > 0 {
		return
	}
	spec := d.after.Spec.Template.Spec
	for _, c := range slices.Concat(spec.Containers, spec.InitContainers) {
		if c.ReadinessProbe != nil || c.StartupProbe != nil {
			return
		}
	}
	d.warning(NoReadiness, "Add a readiness probe, or set minReadySeconds: 30.",
		"no readiness probe and no minReadySeconds: a Pod counts as available the moment it starts, so a broken version rolls over all nodes")
}

// critical are places on a node that only networks, storage and device plugins have business in.
var critical = []string{"/etc/cni", "/opt/cni", "/var/lib/kubelet/plugins", "/var/lib/kubelet/plugins_registry", "/var/lib/kubelet/device-plugins"}

// notCritical tells of daemons that a node needs in order to work, and that may be preempted or evicted.
func (d *draft) notCritical() {
	spec := d.after.Spec.Template.Spec
	if spec.PriorityClassName != "" || spec.Priority != nil {
		return
	}
	for _, v := range spec.Volumes {
		if v.HostPath == nil {
			continue
		}
		for _, place := range critical {
			if p := strings.TrimRight(v.HostPath.Path, "/"); p == place || strings.HasPrefix(p, place+"/") {
				d.warning(NotCritical, "Set priorityClassName: system-node-critical.",
					"it works in %s, so nodes need it, but it has no priority class: other Pods may take its place on a full node", v.HostPath.Path)
				return
			}
		}
	}
}

func nodes(n int) string { return counted(n, "node") }

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Rough is a duration as people say it: 40s, 12m, 3h20m, 2d4h.
func Rough(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%ds", int(d.Seconds()+0.5))
	case d < 90*time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()+0.5))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}
