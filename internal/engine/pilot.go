package engine

import (
	"time"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
)

// Pilot is a Core behind its barrier: it decides nothing until each kind has been read whole, and for a replica that stood by, is
// known as it was when it began to lead, or later. Like the Core it has no goroutine and no clock.
type Pilot struct {
	*Core
	synced map[feed.Kind]bool
	// known is up to where a kind is known, wanted how far it has to be.
	known, wanted map[feed.Kind]fleet.Version
}

// NewPilot makes a Pilot that has read nothing yet.
func NewPilot(c *Core) *Pilot {
	return &Pilot{Core: c, synced: map[feed.Kind]bool{}, known: map[feed.Kind]fleet.Version{}, wanted: map[feed.Kind]fleet.Version{}}
}

// Take takes in what a watch told.
func (p *Pilot) Take(e feed.Event, now time.Time) {
	e.Apply(p.Fleet, now)
	p.known[e.Kind] = max(p.known[e.Kind], e.Version)
	if e.Synced {
		p.synced[e.Kind] = true
	}
}

// Await has nothing decided before the kind is known up to that version.
func (p *Pilot) Await(kind feed.Kind, version fleet.Version) { p.wanted[kind] = version }

// Afresh has nothing decided before the kind has been read whole once more. A list that was on its way may be older than what is
// awaited, and does not count then.
func (p *Pilot) Afresh(kind feed.Kind) {
	delete(p.synced, kind)
}

// Behind are the kinds that are not known as they have to be.
func (p *Pilot) Behind() (out []feed.Kind) {
	for _, kind := range feed.Kinds {
		if !p.synced[kind] || p.known[kind] < p.wanted[kind] {
			out = append(out, kind)
		}
	}
	return out
}

// Reading tells that the kind has yet to be read whole.
func (p *Pilot) Reading(kind feed.Kind) bool { return !p.synced[kind] }

// Synced tells that everything is known as it has to be, so that decisions may be made.
func (p *Pilot) Synced() bool { return len(p.Behind()) == 0 }

// Decide gives the calls that may go out now; none before everything is known.
func (p *Pilot) Decide(now time.Time, clock func() time.Time) []act.Call {
	if !p.Synced() {
		return nil
	}
	return p.Step(now, clock)
}
