package preview

import (
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

// carryOut does what a plan says, as an API server that refuses nothing would answer it.
func (p *Player) carryOut(d *fleet.Daemon, pl plan.Plan) (acted bool, err error) {
	for _, a := range pl.Actions {
		switch a.Kind {
		case plan.Create:
			p.create(d, pl.Hash, a)
		case plan.Delete:
			p.delete(d, a)
		case plan.Adopt:
			p.reshape(a.Pod, func(s *fleet.Shape) { s.Owner, s.OwnerKind, s.OwnerName = d.UID, fleet.DaemonSetKind, d.Key.Name })
		case plan.Release:
			p.reshape(a.Pod, func(s *fleet.Shape) { s.Owner, s.OwnerKind, s.OwnerName = "", "", "" })
		case plan.Relabel:
			p.reshape(a.Pod, func(s *fleet.Shape) {
				s.Labels = maps.Clone(s.Labels)
				s.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] = a.Hash
			})
		case plan.DryRun:
			d.Approved = pl.Hash
			p.Fleet.Touch(d.Key)
		case plan.Revise:
			if err := p.revise(d, a.Revision); err != nil {
				return false, err
			}
			return true, nil // one after the other: each follows from the last
		}
	}
	return len(pl.Actions) > 0, nil
}

// reshape changes what a Pod shares with others, for this Pod alone.
func (p *Player) reshape(old *fleet.Pod, change func(*fleet.Shape)) {
	pod, shape := *old, *old.Shape
	change(&shape)
	pod.Shape = &shape
	p.apply(&pod)
}

func (p *Player) create(d *fleet.Daemon, hash string, a plan.Action) {
	pod := plan.Pending(d, hash, a.Node, a.Name, p.Placement)
	p.serial++
	pod.UID, pod.Created, pod.Creating = types.UID(fmt.Sprintf("preview-%d", p.serial)), fleet.StampOf(p.now), false
	pod.Bound = true // who binds it takes no time here
	p.apply(pod)
	p.tell(d, PodCreated, a.Node, a.Reason)
	p.comeReady(d, pod, p.Kubelets.ready(d.Key.String(), a.Node))
}

func (p *Player) delete(d *fleet.Daemon, a plan.Action) {
	p.tell(d, PodDeleted, a.Node, a.Reason)
	if a.NodeGone {
		p.Fleet.DeletePod(a.Pod)
		return
	}
	pod := *a.Pod
	pod.Terminating = true
	p.apply(&pod)
	p.end(&pod)
}

// revise changes the history as the API server would.
func (p *Player) revise(d *fleet.Daemon, c plan.RevisionChange) error {
	key := types.NamespacedName{Namespace: c.Revision.Namespace, Name: c.Revision.Name}
	switch c.Kind {
	case revision.Delete:
		p.Fleet.DeleteRevision(key, c.Revision.UID, p.version())
		return nil
	case revision.Create:
		r := c.Revision.DeepCopy()
		for _, other := range p.Fleet.Revisions(d) {
			if other.Name == r.Name {
				return fmt.Errorf("DaemonSet %s: the name of ControllerRevision %s is taken by another template; the controller counts "+
					"status.collisionCount up then, which a preview cannot", d.Key, key)
			}
		}
		p.serial++
		r.UID, r.CreationTimestamp = types.UID(fmt.Sprintf("preview-%d", p.serial)), metav1.NewTime(p.now)
		p.Fleet.ApplyRevision(r, p.version())
		return nil
	default:
		p.Fleet.ApplyRevision(c.Revision, p.version())
		return nil
	}
}
