package plan

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// onDelete replaces nothing for being outdated; it only says where the user has to act (U144).
func (p *planner) onDelete(s *fleet.Slot) {
	if pr := p.pairOf(s); pr.old != nil {
		p.wait(fleet.UpdateOnDelete, pr.old.Name, time.Time{})
	}
}
