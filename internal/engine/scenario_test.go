package engine

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/plan"
)

// TestScenarios runs testdata/*.txt: stories told in commands, one a line, over a small cluster on a virtual clock. Each
// block prints what was written, with the time, and whatever its show lines ask for.
//
//	world [placement=scheduler] [ready-after=1s] [grace=1s]   begins a story
//	node NAME... [zone=Z] [taint=KEY:EFFECT] [cordon] [label=K:V] [cpu=1] [pods=N]
//	daemonset NAME [image=I] [unavailable=N] [surge=N] [min-ready=10s] [select=K:V] [tolerate=K] [port=P] [cpu=C] [strategy=S] [app=L]
//	run 10s | restart | settle
//	...and see the handlers below
func TestScenarios(t *testing.T) { tellAll(t, "direct") }

// TestScenariosWithScheduler tells the same stories where a scheduler binds, which takes half a second: what is written,
// and when, stays the same. Those that are about direct placement itself are left out.
func TestScenariosWithScheduler(t *testing.T) {
	if flag.Lookup("rewrite").Value.String() == "true" {
		t.Skip("the stories are written with direct placement")
	}
	tellAll(t, "scheduler")
}

var directOnly = map[string]bool{"a19-host-ports.txt": true, "a20-room.txt": true, "a25-pod-shape.txt": true}

func tellAll(t *testing.T, placement string) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if placement == "scheduler" && directOnly[filepath.Base(path)] {
			t.Skip("direct placement only")
		}
		s := &story{t: t, placement: placement}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.out = t, nil
			if d.Cmd == "world" {
				s.begin(d)
			}
			for line := range strings.Lines(d.Input) {
				if words := strings.Fields(line); len(words) > 0 {
					s.tell(words)
				}
			}
			s.flush()
			if len(s.out) == 0 {
				return "nothing\n"
			}
			return strings.Join(s.out, "\n") + "\n"
		})
	})
}

type story struct {
	t         *testing.T
	placement string
	w         *world
	out       []string
	told      int
	quiet     bool
}

func (s *story) begin(d *datadriven.TestData) {
	args := map[string]string{"placement": s.placement}
	for _, a := range d.CmdArgs {
		args[a.Key] = strings.Join(a.Vals, "")
	}
	s.w, s.told = newWorld(plan.Placement(args["placement"])), 0
	_, s.quiet = args["quiet"]
	for name, field := range map[string]*time.Duration{"ready-after": &s.w.readyAfter, "grace": &s.w.grace, "skew": &s.w.skew} {
		if v := args[name]; v != "" {
			*field = s.duration(v)
		}
	}
}

// flush prints the writes that were not told yet.
func (s *story) flush() {
	if !s.quiet {
		s.out = append(s.out, s.w.log[s.told:]...)
	}
	s.told = len(s.w.log)
}

func (s *story) tell(words []string) {
	args := words[1:]
	switch words[0] {
	case "node":
		s.node(args)
	case "daemonset":
		s.daemonSet(args[0], args[1:])
	case "run":
		s.w.run(s.duration(args[0]))
	case "settle":
		s.w.run(2 * time.Minute)
	case "restart":
		s.w.restart()
	case "forget":
		clear(s.w.plans)
		s.w.writes, s.w.statuses, s.w.events = 0, nil, nil
	case "restart-stale":
		s.w.restartStale()
	case "lag":
		s.w.lag = s.duration(args[0])
	case "server-default":
		s.serverDefault(args[0], args[1])
	case "set-delete-foreground":
		s.deleteForeground(args[0])
	case "patch-conditions":
		s.patchConditions(args[0], args[1:]...)
	case "revision":
		s.foreignRevision(args[0], args[1])
	case "rest":
		s.rest()
	case "show":
		s.flush()
		s.show(args)
	case "node-off", "taint", "untaint", "label", "grow":
		s.changeNode(words[0], args)
	case "pod":
		s.pod(args)
	case "pod-phase", "pod-delete", "pod-unready", "pod-finalizer", "pod-unhold", "pod-label":
		s.changePods(words[0], args)
	case "set-delete":
		s.w.removeSet(s.w.sets[args[0]])
	case "set-orphan":
		s.orphan(args[0])
	case "refuse-as":
		s.w.refuseAs = map[string]act.Outcome{"404": act.Gone, "409": act.Conflict, "500": act.Busy}[args[0]]
	case "deny-node":
		s.w.denyCreate = func(node string) error {
			if node == args[0] {
				return errors.New(strings.Join(args[1:], " "))
			}
			return nil
		}
	case "always":
		s.always(args)
	case "mute", "hear", "reject", "admit", "bad-image", "quota", "deny", "allow", "heartbeats", "ready-after":
		s.fault(words[0], args)
	default:
		s.t.Fatalf("unknown command %q", words)
	}
}

// rest forces a look at everything twenty times: a cluster at rest is left alone.
func (s *story) rest() {
	writes, events := s.w.writes, len(s.w.events)
	for range 20 {
		for _, d := range s.w.core.Fleet.Daemons() {
			s.w.core.Fleet.Touch(d.Key)
		}
		s.w.run(time.Second)
	}
	s.flush()
	s.out = append(s.out, fmt.Sprintf("at rest: %d writes, %d events", s.w.writes-writes, len(s.w.events)-events))
}

func (s *story) fault(what string, args []string) {
	for _, name := range args {
		switch what {
		case "mute", "hear":
			s.w.mute[name] = what == "mute"
			n := s.w.nodes[name].DeepCopy()
			n.Status.Conditions = nodeReady(what == "hear")
			s.w.changeNode(n)
		case "reject", "admit":
			s.w.rejecting[name] = what == "reject"
		case "bad-image":
			s.w.badImages[name] = true
		case "quota":
			s.w.quota = int(s.number(name))
		case "deny":
			text := strings.Join(args, " ")
			s.w.denyCreate = func(string) error { return errors.New(text) }
		case "ready-after":
			s.w.readyAfter = s.duration(name)
		case "heartbeats":
			for range s.number(name) {
				for _, n := range sorted(s.w.nodes) {
					n = n.DeepCopy()
					n.Status.Conditions = nodeReady(true)
					n.Annotations = map[string]string{"beat": s.w.clock()}
					s.w.changeNode(n)
				}
			}
		}
	}
	if what == "allow" {
		s.w.denyCreate = nil
	}
}

// always begins to keep the extremes of a daemon: the lowest number of nodes with a Ready Pod, the highest number of live
// Pods on one node.
func (s *story) always(args []string) {
	name := args[0]
	low, high := 1<<30, 0
	look := func() {
		ready := 0
		for node := range s.w.nodes {
			live, ok := 0, false
			for _, p := range s.w.onNode(name, node) {
				if p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed {
					continue
				}
				live++
				ok = ok || isReady(p)
			}
			if ok {
				ready++
			}
			high = max(high, live)
		}
		low = min(low, ready)
	}
	s.w.watchers = []func(){look}
	s.w.extremes = func() string { return fmt.Sprintf("always: ready nodes >= %d, live Pods on a node <= %d", low, high) }
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (s *story) show(args []string) {
	switch args[0] {
	case "status":
		s.out = append(s.out, statusText(s.w.sets[args[1]]))
	case "conditions":
		s.showConditions(args[1])
	case "statuses":
		s.out = append(s.out, s.w.statuses...)
		s.w.statuses = nil
	case "events":
		s.out = append(s.out, s.w.events...)
		s.w.events = nil
	case "always":
		s.out = append(s.out, s.w.extremes())
	case "planned":
		names := slices.Sorted(maps.Keys(s.w.plans))
		s.out = append(s.out, fmt.Sprintf("planned: %v", names))
		clear(s.w.plans)
	case "joined":
		s.out = append(s.out, fmt.Sprintf("nodes that joined waited for their Pods: %v", s.w.joined))
	case "writes":
		s.out = append(s.out, fmt.Sprintf("%d writes", s.w.writes))
		s.w.writes = 0
	case "revisions":
		for _, r := range sorted(s.w.revisions) {
			owner := "nobody"
			if len(r.OwnerReferences) > 0 {
				owner = r.OwnerReferences[0].Name
			}
			s.out = append(s.out, fmt.Sprintf("revision %d of %s", r.Revision, owner))
		}
	case "pods":
		s.showPods(args[1:])
	case "pod":
		s.showPod(args[1], args[2])
	}
}

// showPods prints for each node the daemon's Pods there, with their UIDs, so that a kept Pod can be told from a new one.
func (s *story) showPods(args []string) {
	daemon := strings.Join(args, "")
	for _, n := range sorted(s.w.nodes) {
		line := n.Name + ":"
		for _, p := range s.w.onNode(daemon, n.Name) {
			line += fmt.Sprintf(" %s(%s", p.UID, p.Status.Phase)
			if isReady(p) {
				line += ",ready"
			}
			if p.DeletionTimestamp != nil {
				line += ",terminating"
			}
			line += "," + p.Spec.Containers[0].Image + ")"
		}
		s.out = append(s.out, line)
	}
}

// showPod prints what a created Pod looks like.
func (s *story) showPod(daemon, node string) {
	for _, p := range s.w.onNode(daemon, node) {
		s.out = append(s.out, fmt.Sprintf("generateName=%s nodeName=%q labels=%d owner=%s/%s controller=%v block=%v",
			p.GenerateName, p.Spec.NodeName, len(p.Labels), p.OwnerReferences[0].APIVersion, p.OwnerReferences[0].Kind,
			*p.OwnerReferences[0].Controller, *p.OwnerReferences[0].BlockOwnerDeletion))
		if a := p.Spec.Affinity; a != nil {
			for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
				s.out = append(s.out, fmt.Sprintf("required fields=%v expressions=%d", term.MatchFields, len(term.MatchExpressions)))
			}
			s.out = append(s.out, fmt.Sprintf("preferred terms=%d", len(a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)))
		}
		for _, tol := range p.Spec.Tolerations {
			s.out = append(s.out, fmt.Sprintf("tolerates %s %s:%s seconds=%v", tol.Key, tol.Operator, tol.Effect, tol.TolerationSeconds))
		}
	}
}

func statusText(ds *appsv1.DaemonSet) string {
	c := ds.Status
	line := fmt.Sprintf("%s: desired=%d current=%d ready=%d updated=%d available=%d unavailable=%d misscheduled=%d observed=%d",
		ds.Name, c.DesiredNumberScheduled, c.CurrentNumberScheduled, c.NumberReady, c.UpdatedNumberScheduled,
		c.NumberAvailable, c.NumberUnavailable, c.NumberMisscheduled, c.ObservedGeneration)
	if c.CollisionCount != nil {
		line += fmt.Sprintf(" collisions=%d", *c.CollisionCount)
	}
	return line
}

func keyOf(r *appsv1.ControllerRevision) types.NamespacedName {
	return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
}

func (s *story) duration(text string) time.Duration {
	v, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *story) number(text string) int64 {
	var n int64
	if _, err := fmt.Sscan(text, &n); err != nil {
		s.t.Fatalf("%q is no number: %v", text, err)
	}
	return n
}
