package snapshot

import (
	"strings"
	"time"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/plan"
)

// By says which controller runs a DaemonSet.
type By string

// The controllers that are known.
const (
	Everynode By = "everynode"
	BuiltIn   By = "built-in"
	// Nobody: no trace of a controller was found.
	Nobody By = "nobody"
)

// Runner is who runs a DaemonSet, how it places Pods, and by what that was told.
type Runner struct {
	By        By             `json:"by"`
	Placement plan.Placement `json:"placement"`
	Because   string         `json:"because"`
}

// Managers as the two controllers name themselves to the API server.
const (
	everynodeManager = "everynode-controller"
	builtInManager   = "kube-controller-manager"
)

// Runner finds out who runs a DaemonSet: by what the controller itself told, by who wrote the status last, by the form of
// the youngest Pod's name, and by the lease, in that order.
func (w *World) Runner(d *fleet.Daemon) Runner {
	if s := w.live[d.Key]; s != nil {
		return Runner{By: Everynode, Placement: plan.Placement(s.Placement), Because: "its controller answers"}
	}
	r := Runner{By: Nobody, Placement: plan.Direct, Because: "nothing was written yet that tells"}
	youngest := w.youngest(d)
	switch by, manager := statusWriter(d); {
	case by != Nobody:
		r.By, r.Because = by, "status was last written by "+manager
	case youngest != nil && suffixOf(d, youngest.Name) == derivedSuffix:
		r.By, r.Because = Everynode, "Pod "+youngest.Name+" has a derived name"
	case youngest != nil && suffixOf(d, youngest.Name) == randomSuffix:
		r.By, r.Because = BuiltIn, "Pod "+youngest.Name+" has a random name"
	default:
		for i := range w.Leases {
			if l := &w.Leases[i]; l.Name == live.LeaseName && l.Held(w.Now) {
				r.By, r.Because = Everynode, "lease "+l.Namespace+"/"+l.Name+" is held by "+l.Holder
			}
		}
	}
	if r.By == BuiltIn || (youngest != nil && youngest.Pinned) {
		r.Placement = plan.Scheduler
	}
	return r
}

// statusWriter is who wrote the DaemonSet's status last.
func statusWriter(d *fleet.Daemon) (By, string) {
	by, manager, last := Nobody, "", time.Time{}
	for _, m := range d.Object.ManagedFields {
		if m.Subresource != "status" || m.Time == nil || m.Time.Time.Before(last) {
			continue
		}
		switch m.Manager {
		case everynodeManager:
			by, manager, last = Everynode, m.Manager, m.Time.Time
		case builtInManager:
			by, manager, last = BuiltIn, m.Manager, m.Time.Time
		}
	}
	return by, manager
}

// youngest is the DaemonSet's Pod that was made last.
func (w *World) youngest(d *fleet.Daemon) *Pod {
	var out *Pod
	for pod := range d.EachPod {
		if p := w.pods[pod.Key()]; p != nil && (out == nil || p.Created.After(out.Created) || (p.Created.Equal(out.Created) && p.Name < out.Name)) {
			out = p
		}
	}
	return out
}

// Lengths of the part of a Pod's name behind the DaemonSet's: everynode's is derived, the API server's is random.
const (
	derivedSuffix = 10
	randomSuffix  = 5
)

// suffixOf is how long the name goes on behind the DaemonSet's, or 0 for a name of another form.
func suffixOf(d *fleet.Daemon, name string) int {
	rest, ok := strings.CutPrefix(name, d.Key.Name+"-")
	if !ok || strings.ContainsAny(rest, "-.") {
		return 0
	}
	return len(rest)
}
