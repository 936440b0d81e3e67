package oracle

import (
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/controller/daemon"
)

// text prints a scene as a block of internal/plan/testdata. What the grammar there has no word for comes first, as comments; a
// node that the selector or affinity excludes is shown with a taint that excludes it likewise.
func (s *scene) text() string {
	var notes, out []string
	note := func(format string, args ...any) { notes = append(notes, "# "+fmt.Sprintf(format, args...)) }
	head := "plan placement=scheduler show=counts"
	switch {
	case s.onDelete:
		head += " strategy=OnDelete"
	case s.surge != "0":
		head += " surge=" + s.surge
	default:
		head += " unavailable=" + s.unavailable
	}
	if s.minReady > 0 {
		head += " min-ready=" + s.minReady.String()
	}
	if s.hostPort {
		head += " port=80"
	}
	if s.tolerate {
		head += " tolerate=k"
	}
	if s.generation != "" {
		note("the template generation is %s", s.generation)
	}
	if s.age != 0 {
		note("the DaemonSet is %v old", s.age)
	}
	if s.deleting {
		note("the DaemonSet is being deleted")
	}
	ds := s.daemonSet()
	for i := range s.nodes {
		out = append(out, s.nodes[i].text(s, func(n *corev1.Node) (run, stay bool) { return daemon.NodeShouldRunDaemonPod(logr.Discard(), n, ds) }))
	}
	for i := range s.pods {
		out = append(out, s.pods[i].text(note))
	}
	for node, ago := range s.gone {
		out = append(out, fmt.Sprintf("gone %s %v", node, ago))
	}
	for _, node := range s.backoff {
		out = append(out, "backoff "+node+" 1s")
	}
	return strings.Join(append(append(notes, head), out...), "\n") + "\n----\n"
}

func (n *sceneNode) text(s *scene, judge func(*corev1.Node) (run, stay bool)) string {
	line := "node " + n.name
	if n.zone != "" {
		line += " zone=" + n.zone
	}
	if run, stay := judge(n.object()); (s.choosy || s.zoned) && !run && !stay {
		return line + " taint=excluded:NoExecute"
	}
	if n.taint != "" {
		line += " taint=" + n.taint
	}
	return line
}

func (p *scenePod) text(note func(string, ...any)) string {
	line := fmt.Sprintf("pod %s %s %s age=%v", p.name, p.node, map[bool]string{true: "new", false: "old"}[p.hash == "new"], p.age)
	add := func(on bool, word string) {
		if on {
			line += " " + word
		}
	}
	add(p.ready, "ready-for="+p.readyFor.String())
	add(p.place == "unbound", "unbound")
	add(p.phase == corev1.PodFailed, "failed")
	add(p.phase == corev1.PodSucceeded, "succeeded")
	add(p.terminating, "terminating")
	add(p.owner == "orphan", "orphan")
	add(p.owner == "foreign" || p.owner == "namesake", "foreign")
	if p.place == "astray" {
		note("%s names no node", p.name)
	}
	if p.hash == "none" {
		note("%s has no hash", p.name)
	}
	if p.generation != "" {
		note("%s has template generation %s", p.name, p.generation)
	}
	if p.stampless {
		note("%s is Ready without a stamp", p.name)
	}
	if p.seen != 0 {
		note("%s has been seen Ready for %v", p.name, p.seen)
	}
	if p.stray {
		note("the selector does not match %s", p.name)
	}
	return line
}
