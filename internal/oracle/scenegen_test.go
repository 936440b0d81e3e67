package oracle

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
)

// Each list has the plainest first, to which a failure shrinks, and repeats what should come often.
var (
	budgets     = rapid.SampledFrom([]string{"1", "2", "3", "1%", "25%", "50%", "100%"})
	disks       = rapid.SampledFrom([]string{"ssd", "ssd", "ssd", "hdd"})
	sceneZones  = rapid.SampledFrom([]string{"", "a", "b", "c"})
	sceneTaints = rapid.SampledFrom([]string{
		"", "", "", "", "", "", "", "k:NoSchedule", "k:NoExecute", "k:PreferNoSchedule",
		corev1.TaintNodeUnschedulable + ":NoSchedule", corev1.TaintNodeNotReady + ":NoExecute", corev1.TaintNodeNotReady + ":NoSchedule",
	})
	hashes      = rapid.SampledFrom([]string{"new", "old", "old", "none"})
	generations = rapid.SampledFrom([]string{"", "", "1", "2"})
	ages        = rapid.SampledFrom([]time.Duration{time.Hour, 2 * time.Hour, time.Minute, 2 * time.Minute, 0})
	readyFors   = rapid.SampledFrom([]time.Duration{time.Hour, time.Hour, 31 * time.Second, 30 * time.Second, 29 * time.Second, 0, -time.Minute})
	owners      = rapid.SampledFrom([]string{"mine", "mine", "mine", "mine", "mine", "mine", "mine", "mine", "orphan", "foreign", "namesake"})
	states      = rapid.SampledFrom([]string{
		"ready", "ready", "ready", "unready", "unready", "unbound", "failed", "succeeded", "terminating", "terminating ready",
		"terminating failed", "ready unknown", "unbound terminating",
	})
)

// scenes are half of the time calm: one Pod where one should be, in a rollout. Else anything may be anywhere.
var scenes = rapid.Custom(func(t *rapid.T) *scene {
	s := &scene{surge: "0", unavailable: "0", gone: map[string]time.Duration{}}
	switch rapid.IntRange(0, 9).Draw(t, "strategy") {
	case 0, 1, 2, 3, 4:
		s.unavailable = budgets.Draw(t, "maxUnavailable")
	case 5, 6, 7, 8:
		s.surge = budgets.Draw(t, "maxSurge")
	default:
		s.onDelete = true
	}
	calm := rapid.Bool().Draw(t, "calm")
	rare := func(what string) bool { return rapid.IntRange(0, 7).Draw(t, what) == 7 }
	s.minReady = rapid.SampledFrom([]time.Duration{0, 30 * time.Second}).Draw(t, "minReadySeconds")
	s.hostPort, s.tolerate, s.choosy, s.zoned = rare("hostPort"), rare("tolerate"), rare("choosy"), rare("zoned")
	s.generation = rapid.SampledFrom([]string{"", "2"}).Draw(t, "generation")
	s.age = rapid.SampledFrom([]time.Duration{24 * time.Hour, 24 * time.Hour, 90 * time.Second}).Draw(t, "age")
	s.known = rapid.Bool().Draw(t, "known")
	s.deleting = rare("deleting") && rare("really")
	for i, n := range rapid.SliceOfN(s.drawNodes(calm), 0, 8).Draw(t, "nodes") {
		s.add(fmt.Sprintf("n%d", i+1), n)
	}
	if rare("vanished") {
		s.gone["n9"] = rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Second, 40 * time.Second}).Draw(t, "gone")
		n := s.drawNodes(calm).Draw(t, "vanished node")
		n.missing = true
		s.add("n9", n)
	}
	return s
})

// drawn is a node with what is on it.
type drawn struct {
	sceneNode
	missing, backoff bool
	pods             []scenePod
}

func (s *scene) drawNodes(calm bool) *rapid.Generator[drawn] {
	pods := s.drawPods(calm)
	return rapid.Custom(func(t *rapid.T) drawn {
		n := drawn{sceneNode: sceneNode{zone: sceneZones.Draw(t, "zone"), taint: sceneTaints.Draw(t, "taint"), disk: "ssd"}}
		if s.choosy {
			n.disk = disks.Draw(t, "disk")
		}
		if calm {
			n.pods = []scenePod{pods.Draw(t, "pod")}
			return n
		}
		n.pods = rapid.SliceOfN(pods, 0, 3).Draw(t, "pods")
		n.backoff = rapid.IntRange(0, 3).Draw(t, "backoff") == 3
		return n
	})
}

// add puts a node with its Pods into the scene, and gives them names.
func (s *scene) add(name string, n drawn) {
	if n.name = name; !n.missing {
		s.nodes = append(s.nodes, n.sceneNode)
		if n.backoff {
			s.backoff = append(s.backoff, name)
		}
	}
	for i, p := range n.pods {
		p.name, p.node = fmt.Sprintf("p%s%c", name[1:], 'a'+i), name
		s.pods = append(s.pods, p)
	}
}

func (s *scene) drawPods(calm bool) *rapid.Generator[scenePod] {
	return rapid.Custom(func(t *rapid.T) scenePod {
		p := scenePod{place: "bound", owner: "mine", phase: corev1.PodRunning}
		p.hash, p.age = hashes.Draw(t, "hash"), ages.Draw(t, "age of the Pod")
		if s.generation != "" {
			p.generation = generations.Draw(t, "generation of the Pod")
		}
		if calm {
			p.setState(rapid.SampledFrom([]string{"ready", "ready", "ready", "ready", "unready"}).Draw(t, "state"))
		} else {
			p.setState(states.Draw(t, "state"))
			p.owner = owners.Draw(t, "owner")
			p.stray = rapid.IntRange(0, 15).Draw(t, "stray") == 15
			if p.place == "unbound" && rapid.IntRange(0, 7).Draw(t, "astray") == 7 {
				p.place = "astray"
			}
		}
		if p.ready && s.minReady > 0 {
			p.readyFor = readyFors.Draw(t, "ready for")
			p.seen = rapid.SampledFrom([]time.Duration{0, 0, 0, time.Minute}).Draw(t, "seen")
			p.stampless = rapid.IntRange(0, 15).Draw(t, "stampless") == 15
		}
		return p
	})
}

func (p *scenePod) setState(state string) {
	p.readyFor = p.age
	switch state {
	case "ready":
		p.ready = true
	case "unready":
	case "unbound":
		p.place, p.phase = "unbound", corev1.PodPending
	case "failed":
		p.phase = corev1.PodFailed
	case "succeeded":
		p.phase = corev1.PodSucceeded
	case "terminating":
		p.terminating = true
	case "terminating ready":
		p.terminating, p.ready = true, true
	case "terminating failed":
		p.terminating, p.phase = true, corev1.PodFailed
	case "ready unknown":
		p.ready, p.phase = true, corev1.PodUnknown
	case "unbound terminating":
		p.place, p.phase, p.terminating = "unbound", corev1.PodPending, true
	default:
		panic(state)
	}
}
