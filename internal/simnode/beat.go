package simnode

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubeletVersion is the version that simulated nodes report.
const kubeletVersion = "v1.37.2"

// statusPatience is how soon a kubelet puts right what others have written into its Node's status.
const statusPatience = 10 * time.Second

// beat is a kubelet's memory of its heartbeats.
type beat struct {
	status time.Time // when to look at the Node's status
	posted time.Time // when the status was posted last
	urgent bool      // the next change of status is not to wait for statusPatience
}

// nodePatch is a change of a Node's status. Fields that are empty are left as they are.
type nodePatch struct {
	Conditions  []corev1.NodeCondition `json:"conditions,omitempty"`
	Addresses   []corev1.NodeAddress   `json:"addresses,omitempty"`
	Capacity    corev1.ResourceList    `json:"capacity,omitempty"`
	Allocatable corev1.ResourceList    `json:"allocatable,omitempty"`
	NodeInfo    *corev1.NodeSystemInfo `json:"nodeInfo,omitempty"`
}

// apply changes the status in place; Register uses it before the Node is created.
func (p *nodePatch) apply(s *corev1.NodeStatus) {
	s.Conditions = append(s.Conditions, p.Conditions...)
	s.Addresses = append(s.Addresses, p.Addresses...)
	if p.Capacity != nil {
		s.Capacity = p.Capacity
	}
	if p.Allocatable != nil {
		s.Allocatable = p.Allocatable
	}
	if p.NodeInfo != nil {
		s.NodeInfo = *p.NodeInfo
	}
}

// heartbeat tells which status to post, nil for none, and sets when to look again.
func (k *kubelet) heartbeat(now time.Time) *nodePatch {
	b := &k.beat
	if b.status.After(now) {
		return nil
	}
	stamp := k.stamp(now)
	if b.posted.IsZero() {
		b.posted, b.urgent = lastHeartbeat(k.node).Add(-k.knobs.skew), true
	}
	patch, changed := describe(k.node, k.host, k.knobs, stamp)
	every := k.timing.status*4/5 + time.Duration(fraction(k.name)*float64(k.timing.status)*2/5)
	switch at := b.posted.Add(statusPatience); {
	case changed && (b.urgent || !now.Before(at)):
	case changed:
		b.status = at
		return nil
	case now.Before(b.posted.Add(every)):
		b.status = b.posted.Add(every)
		return nil
	}
	b.posted, b.urgent, b.status = now, false, now.Add(statusPatience)
	return patch
}

func lastHeartbeat(node *corev1.Node) time.Time {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.LastHeartbeatTime.Time
		}
	}
	return time.Time{}
}

// describe is the status that the kubelet posts for its Node; changed is false when only times would move.
func describe(node *corev1.Node, h host, k knobs, stamp metav1.Time) (patch *nodePatch, changed bool) {
	patch = &nodePatch{Conditions: conditions(k, stamp)}
	for i := range patch.Conditions {
		next, same := &patch.Conditions[i], false
		for _, old := range node.Status.Conditions {
			if old.Type != next.Type {
				continue
			}
			if old.Status == next.Status {
				next.LastTransitionTime = old.LastTransitionTime
			}
			same = old.Status == next.Status && old.Reason == next.Reason
		}
		changed = changed || !same
	}
	if addressOf(node) == "" {
		patch.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: h.ip}, {Type: corev1.NodeHostName, Address: node.Name}}
	}
	if len(node.Status.Capacity) == 0 {
		patch.Capacity = general.capacity()
	}
	if len(node.Status.Allocatable) == 0 {
		patch.Allocatable = node.Status.Capacity
		if len(node.Status.Capacity) == 0 {
			patch.Allocatable = patch.Capacity
		}
	}
	if node.Status.NodeInfo.KubeletVersion == "" {
		patch.NodeInfo = systemInfo(node)
	}
	return patch, changed || patch.Addresses != nil || patch.Allocatable != nil || patch.NodeInfo != nil
}

func conditions(k knobs, stamp metav1.Time) []corev1.NodeCondition {
	post := func(kind corev1.NodeConditionType, on bool, reason, message string) corev1.NodeCondition {
		c := corev1.NodeCondition{
			Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message,
			LastHeartbeatTime: stamp, LastTransitionTime: stamp,
		}
		if on {
			c.Status = corev1.ConditionTrue
		}
		return c
	}
	pressure := func(kind corev1.NodeConditionType, name, has, hasNot string) corev1.NodeCondition {
		if strings.Contains(k.pressure, name) {
			return post(kind, true, has, "the annotation "+PressureAnnotation+" says so")
		}
		return post(kind, false, hasNot, "kubelet has no "+name+" pressure")
	}
	list := []corev1.NodeCondition{
		pressure(corev1.NodeMemoryPressure, "memory", "KubeletHasInsufficientMemory", "KubeletHasSufficientMemory"),
		pressure(corev1.NodeDiskPressure, "disk", "KubeletHasDiskPressure", "KubeletHasNoDiskPressure"),
		pressure(corev1.NodePIDPressure, "pid", "KubeletHasInsufficientPID", "KubeletHasSufficientPID"),
	}
	if k.notReady {
		return append(list, post(corev1.NodeReady, false, "KubeletNotReady", "the annotation "+NotReadyAnnotation+" says so"))
	}
	return append(list, post(corev1.NodeReady, true, "KubeletReady", "kubelet is posting ready status"))
}

func systemInfo(node *corev1.Node) *corev1.NodeSystemInfo {
	arch := node.Labels[corev1.LabelArchStable]
	if arch == "" {
		arch = "amd64"
	}
	id := digestOf(node.Name)[:32]
	return &corev1.NodeSystemInfo{
		MachineID: id, SystemUUID: id, BootID: id,
		KernelVersion: "simulated", OSImage: "everynode simulated node", ContainerRuntimeVersion: "sim://1",
		KubeletVersion: kubeletVersion, OperatingSystem: osOf(node), Architecture: arch,
	}
}

func quantities(cpu, memory, storage, pods string) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
		corev1.ResourceEphemeralStorage: resource.MustParse(storage), corev1.ResourcePods: resource.MustParse(pods),
	}
}
