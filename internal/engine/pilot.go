package engine

import (
	"time"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/feed"
)

// Pilot is a Core behind its barrier: it decides nothing until each kind has been read whole, which for a new leader is
// after its election. Like the Core it has no goroutine and no clock.
type Pilot struct {
	*Core
	synced map[feed.Kind]bool
}

// NewPilot makes a Pilot that has read nothing yet.
func NewPilot(c *Core) *Pilot { return &Pilot{Core: c, synced: map[feed.Kind]bool{}} }

// Take takes in what a watch told.
func (p *Pilot) Take(e feed.Event, now time.Time) {
	e.Apply(p.Fleet, now)
	if e.Synced {
		p.synced[e.Kind] = true
	}
}

// Synced tells that everything has been read, so that decisions may be made.
func (p *Pilot) Synced() bool { return len(p.synced) == len(feed.Kinds) }

// Decide gives the calls that may go out now; none before everything has been read.
func (p *Pilot) Decide(now time.Time, clock func() time.Time) []act.Call {
	if !p.Synced() {
		return nil
	}
	return p.Step(now, clock)
}
