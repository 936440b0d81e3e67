package act

import "time"

// Pace bounds the calls of one kind of work that are in flight: the bound doubles as calls succeed and halves when the API
// server is busy. It is a value with no clock of its own.
type Pace struct {
	window, longest int
	inFlight        int
	// calmAt is when the bound may grow or shrink again: one halving per burst of bad answers.
	calmAt time.Time
}

// NewPace starts with first calls in flight and never allows more than longest.
func NewPace(first, longest int) *Pace { return &Pace{window: first, longest: longest} }

// Room is how many more calls may start.
func (p *Pace) Room() int { return max(0, p.window-p.inFlight) }

// SpareRoom is how many more calls may start that can wait: a quarter of the bound is kept for those that cannot.
func (p *Pace) SpareRoom() int { return max(0, p.window-p.window/4-p.inFlight) }

// Started notes a call that goes out.
func (p *Pace) Started() { p.inFlight++ }

// Idle tells that nothing is in flight.
func (p *Pace) Idle() bool { return p.inFlight == 0 }

// Answered notes what became of a call.
func (p *Pace) Answered(o Outcome, now time.Time) {
	p.inFlight--
	switch {
	case o != Busy:
		if !now.Before(p.calmAt) {
			p.window = min(p.window+1, p.longest)
		}
	case !now.Before(p.calmAt):
		p.window = max(1, p.window/2)
		p.calmAt = now.Add(time.Second)
	}
}

// Ramp is one DaemonSet's own bound on creates. It starts with one call, so that a quota or webhook that refuses
// everything costs one call, and doubles with each round of successes. After a refusal there is a pause, which grows as
// long as nothing but refusals come (U088, U093).
type Ramp struct {
	Pace
	refusals int
	resumeAt time.Time
}

const (
	rampFirst   = 1
	rampLongest = 250
	pauseFirst  = time.Second
	pauseLong   = 30 * time.Second
	// pauseClosing is the pause when the namespace is being deleted: nothing will be accepted any more.
	pauseClosing = 15 * time.Second
)

// NewRamp starts at one call in flight.
func NewRamp() *Ramp { return &Ramp{Pace: *NewPace(rampFirst, rampLongest)} }

// Room is how many more creates may start now.
func (r *Ramp) Room(now time.Time) int {
	if now.Before(r.resumeAt) {
		return 0
	}
	return r.Pace.Room()
}

// ResumeAt is when the pause after a refusal ends; in the past or zero when there is none.
func (r *Ramp) ResumeAt() time.Time { return r.resumeAt }

// Answered notes what became of a create.
func (r *Ramp) Answered(o Outcome, now time.Time, retryAfter time.Duration) {
	r.Pace.Answered(o, now)
	switch o {
	case Done:
		r.refusals, r.resumeAt = 0, time.Time{}
	case Taken, Stopped:
	default:
		r.window = rampFirst
		pause := min(pauseFirst<<min(r.refusals, 10), pauseLong)
		if o == Closing {
			pause = max(pause, pauseClosing)
		}
		r.refusals++
		r.resumeAt = now.Add(max(pause, retryAfter))
	}
}
