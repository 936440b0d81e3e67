package cli

import (
	"time"

	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/internal/snapshot"
)

// PlanVersion is the version of PlanReport's JSON form.
const PlanVersion = "everynode.dev/plan.v1"

// PlanReport is what plan tells.
type PlanReport struct {
	Version   string            `json:"version"`
	Taken     time.Time         `json:"taken"`
	Placement plan.Placement    `json:"placement"`
	Changes   bool              `json:"changes"`
	Daemons   []preview.Preview `json:"daemonSets"`

	runners runners
}

func newPlanReport(w *snapshot.World, o preview.Options, list []preview.Preview, r runners, timeline bool) PlanReport {
	out := PlanReport{Version: PlanVersion, Taken: w.Now.UTC(), Placement: o.Placement, Daemons: list, runners: r}
	for i := range list {
		out.Changes = out.Changes || list[i].Kind != preview.None
		if !timeline {
			list[i].Timeline = nil
		}
	}
	return out
}

// builtIn tells that the built-in controller runs the DaemonSet.
func (r *PlanReport) builtIn(p *preview.Preview) bool {
	return r.runners.by[p.Key()] == snapshot.BuiltIn
}
