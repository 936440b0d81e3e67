package plan

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// onDelete replaces nothing for being outdated; it only says where the user has to act (U144).
func (p *planner) onDelete() {
	for _, s := range p.d.Slots() {
		if pr := p.pairOf(s); pr.old != nil && s.Node != nil {
			p.wait(s.NodeName, fleet.UpdateOnDelete, pr.old.Name, time.Time{})
		}
	}
}
