package simnode

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Prefix is the prefix of every annotation that this package reads.
const Prefix = "sim.everynode.dev/"

// Annotations of a Node.
const (
	// KubeletAnnotation makes a Node simulated: "running", or "stopped" for a kubelet that has gone mute.
	KubeletAnnotation = Prefix + "kubelet"
	// RejectAnnotation makes the kubelet refuse every new Pod: "<Reason>" or "<Reason>: <message>".
	RejectAnnotation = Prefix + "reject"
	// NotReadyAnnotation makes the kubelet post Ready=False, as one without a network plugin does: "true".
	NotReadyAnnotation = Prefix + "not-ready"
	// PressureAnnotation makes the kubelet post pressure conditions: a list of "memory", "disk" and "pid".
	PressureAnnotation = Prefix + "pressure"
	// ClockSkewAnnotation shifts every time that the kubelet writes: a duration, "30s" or "-2m".
	ClockSkewAnnotation = Prefix + "clock-skew"
)

// Annotations of a Pod; a DaemonSet puts them into its template.
const (
	// ReadyAfterAnnotation delays Ready after the start: a duration.
	ReadyAfterAnnotation = Prefix + "ready-after"
	// NeverReadyAnnotation keeps a running Pod from becoming Ready: "true".
	NeverReadyAnnotation = Prefix + "never-ready"
	// CrashLoopAnnotation makes the containers exit again and again, with a kubelet's backoff: "true".
	CrashLoopAnnotation = Prefix + "crash-loop"
	// ImagePullFailureAnnotation makes the images unpullable: "true".
	ImagePullFailureAnnotation = Prefix + "image-pull-failure"
	// FailAnnotation turns the Pod to phase Failed: "<Reason>" or "<Reason>: <message>".
	FailAnnotation = Prefix + "fail"
	// FailAfterAnnotation lets the Pod run for a time before FailAnnotation has its way: a duration.
	FailAfterAnnotation = Prefix + "fail-after"
	// SucceedAfterAnnotation turns the Pod to phase Succeeded when it has run for a time: a duration.
	SucceedAfterAnnotation = Prefix + "succeed-after"
	// StuckTerminatingAnnotation keeps a deleted Pod from ending: "true" for ever, or a duration.
	StuckTerminatingAnnotation = Prefix + "stuck-terminating"
	// OnlyOnAnnotation limits the Pod's other faults to the nodes named: "node-003,node-004".
	OnlyOnAnnotation = Prefix + "only-on"
)

// Values of KubeletAnnotation.
const (
	// Running is the value of KubeletAnnotation for a kubelet at work.
	Running = "running"
	// Stopped is the value of KubeletAnnotation for a mute kubelet.
	Stopped = "stopped"
)

// problem is an annotation that could not be read; it is reported as an event and treated as absent.
type problem struct {
	annotation string
	text       string
}

// knobs is what a Node's annotations ask for.
type knobs struct {
	simulated bool
	stopped   bool
	reject    *refusal
	skew      time.Duration
	notReady  bool
	pressure  string // pressures, sorted and joined by commas
}

// Simulated tells whether a kubelet is played for the node, and whether that kubelet is at work.
func Simulated(node *corev1.Node) (simulated, running bool) {
	k, _ := readKnobs(node.Annotations)
	return k.simulated, k.simulated && !k.stopped
}

// readKnobs reads the annotations of a Node.
func readKnobs(annotations map[string]string) (knobs, []problem) {
	var k knobs
	r := reader{annotations: annotations}
	switch value, ok := annotations[KubeletAnnotation]; {
	case !ok:
	case value == Running:
		k.simulated = true
	case value == Stopped:
		k.simulated, k.stopped = true, true
	default:
		r.bad(KubeletAnnotation, fmt.Sprintf("use %q or %q", Running, Stopped))
	}
	k.reject = r.reason(RejectAnnotation)
	k.skew = r.duration(ClockSkewAnnotation, true)
	k.notReady = r.flag(NotReadyAnnotation)
	k.pressure = r.pressure()
	r.unknown(KubeletAnnotation, RejectAnnotation, ClockSkewAnnotation, NotReadyAnnotation, PressureAnnotation)
	return k, r.problems
}

// refusal is a phase Failed with its reason and message.
type refusal struct {
	reason  string
	message string
}

// splitReason reads "<Reason>: <message>"; ok is false when the reason is not one CamelCase or dotted word.
func splitReason(value string) (refusal, bool) {
	reason, message, _ := strings.Cut(value, ":")
	reason = strings.TrimSpace(reason)
	if len(strings.Fields(reason)) != 1 {
		return refusal{}, false
	}
	return refusal{reason: reason, message: strings.TrimSpace(message)}, true
}
