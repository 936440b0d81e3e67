package simworld

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/engine"
	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/report"
)

// Replica is one controller that is started, dies and is started again: its processes follow each other.
type Replica struct {
	w    *World
	id   int
	name string
	// ledFrom is the API server's version when the process began to lead.
	ledFrom uint64
	// life counts its processes; what was booked for an earlier one comes to nothing.
	life  int
	alive bool // a process runs and leads

	ctx     context.Context
	cancel  context.CancelFunc
	pilot   *engine.Pilot
	watches []*watcher
	inbox   []feed.Event
	answers []act.Answer
	flights []*flight
	due     bool      // the loop is booked
	wake    time.Time // the timer that is set
	// pausedUntil is when a process that was stopped goes on.
	pausedUntil time.Time
	slow        time.Duration // how late the loop is
	worstSlow   time.Duration // how late it ever was
	poked       time.Time     // since when the loop is booked
	// worstLag is the longest that this process has been behind the truth.
	worstLag time.Duration
	lease    elector
}

// start begins a new process that knows nothing and leads.
func (r *Replica) start() {
	r.standBy()
	r.alive, r.ledFrom = true, r.w.API.Version()
}

// lead has a process that stood by lead, as engine.Controller has it: what it knows has to be as new as the present.
func (r *Replica) lead(d dice) {
	r.alive, r.ledFrom = true, r.w.API.Version()
	for i, x := range r.watches {
		kind := feed.Kinds[i]
		r.pilot.Await(kind, fleet.Version(r.ledFrom))
		if d.chance(uint64(20+i), 2) {
			x.again()
		}
		r.bePatient(x, kind)
	}
	r.poke()
}

// bePatient reads a kind afresh that is still behind after a while.
func (r *Replica) bePatient(x *watcher, kind feed.Kind) {
	r.later(barrierPatience, func() {
		if !slices.Contains(r.pilot.Behind(), kind) {
			return
		}
		if !r.pilot.Reading(kind) {
			x.again()
		}
		r.bePatient(x, kind)
	})
}

// standBy begins a new process that knows nothing; it takes facts in, and decides once it leads.
func (r *Replica) standBy() {
	w := r.w
	r.life++
	r.alive, r.due, r.wake, r.worstLag = false, false, time.Time{}, 0
	r.inbox, r.answers = nil, nil
	ctx, cancel := context.WithCancel(context.Background())
	r.ctx, r.cancel = fence{ctx, r}, cancel
	core := engine.NewCore(w.Setup.Placement, r.say, observer{r})
	r.pilot = engine.NewPilot(core)
	r.watches = nil
	for i, kind := range feed.Kinds {
		r.watches = append(r.watches, newWatcher(r, i, kind))
	}
	w.trace("start", r.name, "", "", r.life)
	for _, x := range r.watches {
		x.list(w.short(r, uint64(x.index)))
	}
}

// fence is the context of a leader's work, as engine.Lead gives it: it ends by the clock when the lease may be over.
type fence struct {
	context.Context
	r *Replica
}

// Err is not nil once the lease may have run out.
func (f fence) Err() error {
	if err := f.Context.Err(); err != nil {
		return err
	}
	if f.r.lease.over() {
		return context.Canceled
	}
	return nil
}

// die ends the process. What it has sent may still reach the server; nobody hears the answer.
func (r *Replica) die(why string) {
	if !r.alive {
		return
	}
	w := r.w
	w.trace("end", r.name, why, "", r.life)
	r.alive = false
	r.life++
	r.cancel()
	r.pilot = nil
	for _, f := range r.flights {
		f.dead = true
		if f.pending != nil {
			f.pending.abandoned = true
		}
		f.stop()
	}
	r.flights = nil
	for _, x := range r.watches {
		x.close()
	}
	r.watches = nil
}

// later books something for this process alone; what is due while it stands still happens when it goes on.
func (r *Replica) later(d time.Duration, do func()) {
	life := r.life
	r.w.later(d, func() { r.run(life, do) })
}

func (r *Replica) run(life int, do func()) {
	switch {
	case r.life != life:
	case r.paused():
		r.w.agenda.book(r.pausedUntil, func() { r.run(life, do) })
	default:
		do()
	}
}

func (r *Replica) paused() bool { return r.w.now.Before(r.pausedUntil) }

// poke lets the loop run soon.
func (r *Replica) poke() {
	if r.due || r.pilot == nil {
		return
	}
	r.due, r.poked = true, r.w.now
	r.later(r.slow, r.loop)
}

// loop is what engine.Run does each time that something came: take all in, decide, start the calls.
func (r *Replica) loop() {
	r.due = false
	w := r.w
	r.worstSlow = max(r.worstSlow, w.now.Sub(r.poked)) // it may have stood still meanwhile
	inbox, answers := r.inbox, r.answers
	r.inbox, r.answers = nil, nil
	for _, e := range inbox {
		r.pilot.Take(e, w.now)
	}
	for _, a := range answers {
		r.pilot.Answer(a, w.now)
	}
	if !r.alive || r.ctx.Err() != nil {
		return
	}
	for _, c := range r.pilot.Decide(w.now, w.clock) {
		if !r.alive {
			return // one of the calls was its last
		}
		w.sound.decided(r, c)
		r.launch(c)
	}
	if r.alive {
		w.sound.timed(r)
		r.setTimer()
	}
}

// horizon is the moment up to which the process knows everything.
func (r *Replica) horizon() time.Time {
	at := r.w.now
	for _, x := range r.watches {
		if untold := r.w.API.After(x.kind, x.at); len(untold) > 0 {
			if t := r.w.committedAt(untold[0].Version); t.Before(at) {
				at = t
			}
		}
	}
	return at
}

func (r *Replica) setTimer() {
	next := r.pilot.Next()
	if next.IsZero() || (!r.wake.IsZero() && !next.Before(r.wake) && r.wake.After(r.w.now)) {
		return
	}
	r.wake = next
	r.later(max(0, next.Sub(r.w.now)), func() {
		if r.wake.Equal(next) {
			r.wake = time.Time{}
			r.poke()
		}
	})
}

// land takes a flight off the list and its answer home.
func (r *Replica) land(f *flight) {
	if i := slices.Index(r.flights, f); i >= 0 {
		r.flights = slices.Delete(r.flights, i, i+1)
	}
	r.w.trace("answer", r.name, callName(f.call), f.answer.Outcome.String(), f.number)
	r.w.sound.answered(r, f.answer)
	r.answers = append(r.answers, f.answer)
	r.poke()
}

func (r *Replica) say(ds *appsv1.DaemonSet, e report.Event, now time.Time) {
	r.w.herald.Say(ds, e, now)
}

// observer is told what the metrics would count.
type observer struct{ r *Replica }

func (o observer) Planned(p plan.Plan, b *plan.Book, _ time.Duration) { o.r.w.sound.planned(o.r, p, b) }
func (o observer) Answered(act.Answer)                                {}
func (o observer) Forgotten(types.UID)                                {}
func (o observer) Joined(time.Duration)                               {}

func callName(c act.Call) string {
	if c.Status != nil {
		return "status " + c.Daemon.Name
	}
	return fmt.Sprintf("%s %s/%s", c.Action.Kind, c.Daemon.Name, c.Action.Node)
}

func feedOptions(w *World) feed.Options {
	return feed.Options{Target: match.Target, OnError: func(k feed.Kind, err error) { w.trace("refused", string(k), err.Error(), "", 0) }}
}
