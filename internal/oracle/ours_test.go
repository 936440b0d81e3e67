package oracle

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
	"github.com/everynode/everynode/internal/revision"
)

// ours is everynode's answer to a scene. Adoptions and releases take a plan of their own, so there may be two plans: plan is the
// one that is made once their answers are in.
type ours struct {
	plan              plan.Plan
	before            *plan.Plan // the plan that adopts or releases, if there is one
	adopted, released map[string]bool
	status            appsv1.DaemonSetStatus
}

// decide asks the pure rooms. Placement is the built-in controller's, so that fit has no say, and the revision has been
// approved, so that no dry run comes first.
func decide(s *scene, w *world) (*ours, error) {
	f, d := facts(s, w)
	d.Approved = revision.HashOf(w.revisions[0])
	o := &ours{adopted: map[string]bool{}, released: map[string]bool{}}
	compute := func() (plan.Plan, error) {
		return plan.Compute(plan.Input{Daemon: d, Revisions: w.revisions, Orphans: f.Orphans(d), Now: epoch, Placement: plan.Scheduler})
	}
	p, err := compute()
	if err != nil {
		return nil, err
	}
	for _, a := range p.Actions {
		owned := *orZero(a.Pod)
		shape := *owned.Shape
		owned.Version, owned.Shape = 2, &shape
		switch a.Kind {
		case plan.Adopt:
			o.adopted[a.Pod.Name] = true
			owned.Owner, owned.OwnerKind, owned.OwnerName = d.UID, fleet.DaemonSetKind, d.Key.Name
		case plan.Release:
			o.released[a.Pod.Name] = true
			owned.Owner, owned.OwnerKind, owned.OwnerName = "", "", ""
		case plan.Create, plan.Delete, plan.Revise:
			continue
		default:
			return nil, fmt.Errorf("unexpected %v: %v", a.Kind, a.Reason)
		}
		f.ApplyPod(&owned, seenAt(&owned))
	}
	s.setGone(d)
	o.plan = p
	if len(o.adopted)+len(o.released) > 0 {
		o.before = &p
		if o.plan, err = compute(); err != nil {
			return nil, err
		}
	}
	// Upstream keeps no conditions (difference 20): only the numbers are compared.
	o.status = report.Status(o.plan, report.Progress{}, slices.Values(o.plan.Waits), epoch)
	o.status.Conditions = w.ds.Status.Conditions
	return o, nil
}

func orZero(p *fleet.Pod) *fleet.Pod {
	if p == nil {
		return &fleet.Pod{Shape: &fleet.Shape{}}
	}
	return p
}

// seenAt keeps the moment at which a Pod was first seen Ready.
func seenAt(p *fleet.Pod) time.Time {
	if p.Ready {
		return p.ReadySince
	}
	return epoch
}

// facts fills a fleet as the feed would.
func facts(s *scene, w *world) (*fleet.Fleet, *fleet.Daemon) {
	f := fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) })
	f.ApplyDaemon(w.ds, 1, false, epoch)
	for _, n := range w.nodes {
		f.ApplyNode(fleet.NewNode(n, 1), epoch)
	}
	for i, p := range w.pods {
		target, _ := match.Target(&p.Spec)
		f.ApplyPod(fleet.NewPod(p, 1, target), epoch.Add(-s.pods[i].seen))
	}
	d := f.Daemon(types.NamespacedName{Namespace: w.ds.Namespace, Name: w.ds.Name})
	s.setGone(d)
	for _, node := range s.backoff {
		d.Slot(node).Note(func(t *fleet.Trouble) {
			t.Failures = fleet.Backoff{Until: epoch.Add(time.Second), Delay: time.Second, Epoch: w.ds.Generation}
		})
	}
	return f, d
}

// setGone says since when nodes have been missing.
func (s *scene) setGone(d *fleet.Daemon) {
	for node, ago := range s.gone {
		if slot := d.Slot(node); slot != nil {
			slot.Note(func(t *fleet.Trouble) { t.GoneSince = epoch.Add(-ago) })
		}
	}
}

// hasty says what the plan that adopts does about Pods that the plan made afterwards would not do, or nothing. It knows less, so
// it may do less, may spend its budget on other nodes, and may begin with another of several Pods on the node of an orphan.
func (o *ours) hasty(s *scene) string {
	if o.before == nil {
		return ""
	}
	after := o.reasons()
	for action, code := range reasonsOf(o.before) {
		if after[action] != code && !picked[code] && !s.deleteBesideOrphan(action) {
			return fmt.Sprintf("while it adopts, ours does %s (%s), and not afterwards", action, code)
		}
	}
	return ""
}

func (s *scene) deleteBesideOrphan(action string) bool {
	for i := range s.pods {
		p := &s.pods[i]
		if action == "delete "+p.name {
			return s.anyOn(p.node, func(q *scenePod) bool { return q.owner == "orphan" && q.mine() })
		}
	}
	return false
}

// reasons are our answer, with the code of each action.
func (o *ours) reasons() map[string]fleet.Code { return reasonsOf(&o.plan) }

func reasonsOf(p *plan.Plan) map[string]fleet.Code {
	out := map[string]fleet.Code{}
	for _, a := range p.Actions {
		switch a.Kind {
		case plan.Create:
			out["create "+a.Node] = a.Reason.Code
		case plan.Delete:
			out["delete "+a.Pod.Name] = a.Reason.Code
		default:
		}
	}
	return out
}
