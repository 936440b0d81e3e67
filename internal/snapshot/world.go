package snapshot

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
)

// World is a snapshot in which decisions can be made.
type World struct {
	*Snapshot
	Fleet *fleet.Fleet
	Now   time.Time

	pods  map[types.NamespacedName]*Pod
	nodes map[string]*Node
	live  map[types.NamespacedName]*live.State
}

// World makes the fleet of a snapshot, as it was then. Use Taken for a file, so that nothing has aged since.
func (s *Snapshot) World(now time.Time) (*World, error) {
	w := &World{
		Snapshot: s, Now: now, Fleet: fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) }),
		pods: make(map[types.NamespacedName]*Pod, len(s.Pods)), nodes: make(map[string]*Node, len(s.Nodes)), live: map[types.NamespacedName]*live.State{},
	}
	for i := range s.Nodes {
		w.nodes[s.Nodes[i].Name] = &s.Nodes[i]
		w.Fleet.ApplyNode(s.Nodes[i].Fact(), now)
	}
	for _, ds := range s.DaemonSets {
		v, err := version("DaemonSet "+ds.Namespace+"/"+ds.Name, ds.ResourceVersion)
		if err != nil {
			return nil, err
		}
		w.Fleet.ApplyDaemon(ds, fleet.Version(v), false, now)
	}
	for _, r := range s.Revisions {
		v, err := version("ControllerRevision "+r.Namespace+"/"+r.Name, r.ResourceVersion)
		if err != nil {
			return nil, err
		}
		w.Fleet.ApplyRevision(r, fleet.Version(v))
	}
	for i := range s.Pods {
		p := &s.Pods[i]
		w.pods[p.Key()] = p
		w.Fleet.ApplyPod(p.Fact(), now)
	}
	w.Fleet.Dirty() // nobody waits for it here
	for i := range s.Live {
		if l := &s.Live[i]; l.Apply(w.Fleet, now) {
			w.live[l.Key()] = l
		}
	}
	return w, nil
}

// Pod is what was read of a Pod, or nil.
func (w *World) Pod(key types.NamespacedName) *Pod { return w.pods[key] }

// Node is what was read of a node, or nil.
func (w *World) Node(name string) *Node { return w.nodes[name] }

// Live is what the controller told of a DaemonSet, or nil.
func (w *World) Live(key types.NamespacedName) *live.State { return w.live[key] }

// Plan is what its controller would decide for a DaemonSet now. The built-in controller asks for no dry run and leaves
// room and ports to the scheduler.
func (w *World) Plan(d *fleet.Daemon) (plan.Plan, error) {
	in := plan.Input{
		Daemon: d, Revisions: w.Fleet.Revisions(d), Orphans: w.Fleet.Orphans(d), Now: w.Now, Placement: w.Runner(d).Placement,
	}
	p, err := plan.Compute(in)
	if err != nil || w.Runner(d).By == Everynode || p.Hash == "" {
		return p, err
	}
	d.Approved = p.Hash
	return plan.Compute(in)
}
