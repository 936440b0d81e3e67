package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

// pullReasons are the kubelet's words for an image that it cannot get.
var pullReasons = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "SignatureValidationFailed"}

// crashLoop is the kubelet's word for a container that ends again and again.
const crashLoop = "CrashLoopBackOff"

// troubled tells what is wrong with one container; ok is false if nothing is.
func troubled(c *snapshot.Container, spec *corev1.PodSpec) (r fleet.Reason, ok bool) {
	name := "container " + c.Name
	if c.Init {
		name = "init container " + c.Name
	}
	say := func(code fleet.Code, format string, args ...any) (fleet.Reason, bool) {
		return fleet.Reason{Code: code, Detail: name + ": " + fmt.Sprintf(format, args...)}, true
	}
	switch {
	case slices.Contains(pullReasons, c.Reason):
		return say(ImagePullFailed, "image %s: %s", imageOf(spec, c), joined(c.Reason, c.Message))
	case c.Reason == crashLoop || (c.State == snapshot.Terminated && c.Restarts > 0):
		return say(CrashLoop, "%s, %s%s", plural(int(c.Restarts), "restart"), joined(c.Reason, ""), lastEnd(c))
	case c.State == snapshot.Waiting && c.Reason == "":
		return say(ContainerNotStarted, "waits")
	case c.State == snapshot.Waiting:
		return say(ContainerNotStarted, "%s", joined(c.Reason, c.Message))
	case c.State == snapshot.Terminated:
		return say(CrashLoop, "ended with exit code %d (%s)", c.ExitCode, c.Reason)
	case c.Init && !c.Started:
		return say(ContainerNotStarted, "is still at work")
	case !c.Ready:
		return say(ProbeFailing, "runs, %s", probeText(spec, c))
	}
	return fleet.Reason{}, false
}

func lastEnd(c *snapshot.Container) string {
	if c.Last == nil {
		return ""
	}
	return fmt.Sprintf("; it last ended with exit code %d (%s)", c.Last.ExitCode, joined(c.Last.Reason, firstLine(c.Last.Message)))
}

// probeText names the probe that a container that is not ready must be failing.
func probeText(spec *corev1.PodSpec, c *snapshot.Container) string {
	t := containerOf(spec, c)
	switch {
	case t == nil:
		return "and the kubelet has not found it ready"
	case t.StartupProbe != nil && !c.Started:
		return "and its startup probe has not succeeded: " + handler(&t.StartupProbe.ProbeHandler)
	case t.ReadinessProbe != nil:
		return "and its readiness probe has not succeeded: " + handler(&t.ReadinessProbe.ProbeHandler)
	}
	return "has no readiness probe, and the kubelet has not found it ready"
}

func handler(h *corev1.ProbeHandler) string {
	switch {
	case h.HTTPGet != nil:
		return "GET " + h.HTTPGet.Path + " on port " + h.HTTPGet.Port.String()
	case h.TCPSocket != nil:
		return "TCP port " + h.TCPSocket.Port.String()
	case h.GRPC != nil:
		return fmt.Sprintf("gRPC on port %d", h.GRPC.Port)
	case h.Exec != nil:
		return "exec " + strings.Join(h.Exec.Command, " ")
	}
	return "of an unknown kind"
}

func containerOf(spec *corev1.PodSpec, c *snapshot.Container) *corev1.Container {
	list := spec.Containers
	if c.Init {
		list = spec.InitContainers
	}
	if i := slices.IndexFunc(list, func(t corev1.Container) bool { return t.Name == c.Name }); i >= 0 {
		return &list[i]
	}
	return nil
}

func imageOf(spec *corev1.PodSpec, c *snapshot.Container) string {
	if t := containerOf(spec, c); t != nil {
		return t.Image
	}
	return "(not in the current template)"
}

// unscheduled is about a Pod that names its node by affinity and is bound to none.
func unscheduled(p *snapshot.Pod) fleet.Reason {
	if p.Scheduled == nil {
		return fleet.Reason{Code: Unscheduled, Detail: "no scheduler has looked at Pod " + p.Name + " yet; does one run?"}
	}
	return fleet.Reason{Code: Unscheduled, Detail: joined(p.Scheduled.Reason, p.Scheduled.Message)}
}

// nodeText tells what a node that is not Ready says of itself.
func nodeText(n *snapshot.Node, now time.Time) string {
	word := "NotReady"
	if n.Ready == corev1.ConditionUnknown {
		word = "silent (Ready is Unknown)"
	}
	text := "node " + n.Name + " is " + word
	if !n.Since.IsZero() {
		text += " for " + age(now, n.Since)
	}
	if what := joined(n.Reason, n.Message); what != "" {
		text += ": " + what
	}
	return text
}

// podOf puts a Pod into words.
func (b *Book) podOf(pod *fleet.Pod) Pod {
	out := Pod{Name: pod.Name, Revision: pod.Hash(), Outdated: b.outdated(pod), State: b.stateOf(pod), Age: "being created"}
	if pod.Creating {
		return out
	}
	out.Age = age(b.world.Now, pod.Created.Time())
	p := b.record(pod)
	if p == nil {
		return out
	}
	add := func(format string, args ...any) { out.Facts = append(out.Facts, fmt.Sprintf(format, args...)) }
	if p.Deleted != nil {
		add("deletion was asked for %s ago; its grace period %s", age(b.world.Now, *p.Deleted), endsText(b.world.Now, *p.Ends))
	}
	if len(p.Finalizers) > 0 && p.Deleted != nil {
		add("held by finalizer %s", strings.Join(p.Finalizers, ", "))
	}
	if p.Why != nil {
		add("ended: %s", joined(p.Why.Reason, p.Why.Message))
	}
	switch {
	case p.Owner == nil:
		add("has no owner")
	case p.Owner.UID != b.daemon.UID:
		add("is owned by %s %s", p.Owner.Kind, p.Owner.Name)
	}
	for i := range p.Containers {
		if r, ok := troubled(&p.Containers[i], b.template()); ok {
			add("%s", r.Detail)
		} else if c := &p.Containers[i]; c.Restarts > 0 {
			add("container %s: %s%s", c.Name, plural(int(c.Restarts), "restart"), lastEnd(c))
		}
	}
	return out
}

func endsText(now, ends time.Time) string {
	if ends.After(now) {
		return "ends " + ago(now, ends)
	}
	return "was over " + ago(now, ends)
}

func (b *Book) stateOf(pod *fleet.Pod) string {
	switch {
	case pod.Creating:
		return "creating"
	case pod.Terminating:
		return "terminating"
	case pod.Deleting:
		return "being deleted"
	case pod.Terminal():
		return strings.ToLower(pod.Phase.String())
	case !pod.Bound:
		return "unscheduled"
	case b.available(pod):
		return "available"
	case pod.Ready:
		return "ready"
	}
	return strings.ToLower(pod.Phase.String()) + ", not ready"
}

func joined(reason, message string) string {
	switch {
	case message == "":
		return reason
	case reason == "":
		return message
	}
	return reason + ": " + message
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// age is how long ago t was, in kubectl's form; ago adds the word, and says so of a moment to come.
func age(now, t time.Time) string { return duration.HumanDuration(max(0, now.Sub(t))) }

func ago(now, t time.Time) string {
	if t.After(now) {
		return "in " + duration.HumanDuration(t.Sub(now))
	}
	return age(now, t) + " ago"
}
