package oracle

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// answer is what one side would do about Pods: "create NODE" or "delete POD".
type answer map[string]bool

func (s step) answer() answer {
	out := answer{}
	for node := range s.creates {
		out["create "+node] = true
	}
	for pod := range s.deletes {
		out["delete "+pod] = true
	}
	return out
}

func (a answer) String() string { return strings.Join(slices.Sorted(maps.Keys(a)), ", ") }

// minus gives what is in a and not in b.
func (a answer) minus(b answer) answer {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(k string, _ bool) bool { return b[k] })
	return out
}

func (a answer) only(verb string) answer {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(k string, _ bool) bool { return !strings.HasPrefix(k, verb+" ") })
	return out
}

// comparison is one comparison in progress; differences may narrow both sides before they are compared.
type comparison struct {
	s       *scene
	permit  permit
	ours    map[string]fleet.Code
	manage  answer
	rollout answer
	late    bool
	// fewer permits us to roll fewer nodes than upstream, more that many more.
	fewer bool
	more  int
}

// disagreement says in what the two answers are not equal under the differences permitted, or nothing.
func disagreement(s *scene, o *ours, th *theirs, permit permit) string {
	if diff := numbers(o.status, th.status); diff != "" {
		return diff
	}
	c := &comparison{s: s, permit: permit, ours: o.reasons(), manage: th.manage.answer(), rollout: th.rollout.answer(), late: th.late}
	for _, d := range differences {
		if permit[d.number] && d.trim != nil {
			d.trim(c)
		}
	}
	if c.late && !permit[11] {
		c.rollout = answer{}
	}
	return c.compare()
}

func numbers(a, b appsv1.DaemonSetStatus) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	show := func(s appsv1.DaemonSetStatus) string {
		return fmt.Sprintf("desired=%d current=%d misscheduled=%d ready=%d available=%d unavailable=%d updated=%d observed=%d conditions=%d",
			s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.NumberMisscheduled, s.NumberReady, s.NumberAvailable,
			s.NumberUnavailable, s.UpdatedNumberScheduled, s.ObservedGeneration, len(s.Conditions))
	}
	return fmt.Sprintf("status: ours %s, upstream's %s", show(a), show(b))
}

// picked are the actions that a budget limits: which nodes are chosen is ours to say, how many is not.
var picked = map[fleet.Code]bool{fleet.TemplateOutdated: true, fleet.SurgeStarted: true, fleet.CapacityMoved: true}

// forced are the actions of a rollout that no budget limits.
var forced = map[fleet.Code]bool{fleet.OldPodUnavailable: true, fleet.SurgeFinished: true}

func (c *comparison) compare() string {
	mine := answer{}
	for action := range c.ours {
		mine[action] = true
	}
	if missing := c.manage.minus(mine); len(missing) > 0 {
		return fmt.Sprintf("upstream's manage alone: %v", missing)
	}
	myPicks := answer{}
	for action := range mine.minus(c.manage) {
		switch code := c.ours[action]; {
		case picked[code]:
			myPicks[action] = true
		case !forced[code]:
			return fmt.Sprintf("ours alone: %s (%s)", action, code)
		case !c.rollout[action]:
			return fmt.Sprintf("ours alone, in the rollout: %s (%s)", action, code)
		}
	}
	return c.comparePicks(myPicks, c.rollout.minus(mine.minus(myPicks)))
}

func (c *comparison) comparePicks(mine, their answer) string {
	same := maps.Equal(mine, their) || (c.fewer && len(mine.minus(their)) == 0)
	if !c.permit[10] && !same {
		return fmt.Sprintf("in the rollout ours: %v; upstream's: %v", mine, their)
	}
	for _, verb := range []string{"create", "delete"} {
		m, th := mine.only(verb), their.only(verb)
		if len(m) > len(th)+c.more || (len(m) < len(th) && !c.fewer) {
			return fmt.Sprintf("the rollout takes in ours %d: %v; in upstream's %d: %v", len(m), m, len(th), th)
		}
		for _, side := range []answer{m, th} {
			for action := range side {
				if why := c.noCandidate(action); why != "" {
					return fmt.Sprintf("%s, but %s", action, why)
				}
			}
		}
	}
	return ""
}

// noCandidate says why a budget may not be spent on that action; it is empty for a legal one.
func (c *comparison) noCandidate(action string) string {
	verb, name, _ := strings.Cut(action, " ")
	old, s := 0, c.s
	for i := range s.pods {
		p := &s.pods[i]
		switch {
		case !p.live() || c.manage["delete "+p.name] || (verb == "create" && p.node != name) || (verb == "delete" && p.name != name):
		case s.updated(p):
			return p.name + " is not outdated"
		case !s.available(p):
			return p.name + " is not available, so no budget is needed for it"
		default:
			old++
		}
	}
	if old == 0 {
		return "no outdated Pod is there"
	}
	return ""
}

// writes compares whether the status has to be written at all (U220).
func writes(before appsv1.DaemonSetStatus, o *ours, th *theirs) string {
	if want := report.Differs(before, o.status); want != th.wrote {
		return fmt.Sprintf("status is written: ours %v, upstream's %v", want, th.wrote)
	}
	return ""
}

// podsMade compares the Pods that both make on the same nodes: labels, annotations and spec (U042–U048).
func podsMade(w *world, o *ours, th *theirs) string {
	creates := o.reasons()
	for _, s := range []step{th.manage, th.rollout} {
		for node, theirs := range s.creates {
			if creates["create "+node] == "" {
				continue
			}
			pod := plan.NewPod(w.ds, o.plan.Hash, node, "", plan.Scheduler)
			mine := corev1.PodTemplateSpec{Spec: pod.Spec}
			mine.Labels, mine.Annotations = pod.Labels, pod.Annotations
			if !reflect.DeepEqual(&mine, theirs) {
				return fmt.Sprintf("the Pod for node %s: ours %+v, upstream's %+v", node, mine, *theirs)
			}
		}
	}
	return ""
}
