package simworld

import "time"

// The lease's times, as engine has them.
const (
	leaseDuration = 15 * time.Second
	leaseMargin   = 2 * time.Second
	leaseRetry    = 2 * time.Second
	// barrierPatience is how long a new leader waits for a watch before it reads a kind afresh.
	barrierPatience = 5 * time.Second
)

// elector plays a replica's part in the election: the lease is an object that is compared and swapped.
type elector struct {
	r *Replica
	// me is the process's identity; each process has another.
	me int
	// ends is when the work of a leader must have ended, counted from when the last renewal was sent.
	ends time.Time
	// seen is the record as this replica last read it, and since when it has not changed.
	seen  leaseRecord
	since time.Time
	turns int
}

type leaseRecord struct {
	holder  int // 0 is nobody
	renewed int
}

// over tells whether the lease that the process works under may have run out.
func (e *elector) over() bool {
	return e.r.w.elected() && !e.r.w.now.Before(e.ends)
}

// tick renews the lease, or looks whether it can be had, for as long as the world lives.
func (e *elector) tick() {
	w, r := e.r.w, e.r
	e.turns++
	d := w.dice.of(forProcess, r.id).of(forProcess, e.turns)
	if r.paused() {
		w.agenda.book(r.pausedUntil, e.tick)
		return
	}
	w.later(d.between(1, leaseRetry, leaseRetry+time.Second), e.tick)
	if r.alive && e.over() {
		e.lose()
		return
	}
	if w.outage() {
		return
	}
	sent := w.now
	w.later(d.between(2, 0, 50*time.Millisecond), func() { e.swap(sent) })
}

// swap is what the server does with the request.
func (e *elector) swap(sent time.Time) {
	w, r := e.r.w, e.r
	if w.lease != e.seen {
		e.seen, e.since = w.lease, w.now
	}
	mine := w.lease.holder == e.me
	if r.alive && !mine {
		e.lose() // another has it
		return
	}
	free := w.lease.holder == 0 || w.now.Sub(e.since) >= leaseDuration
	if !mine && !free {
		return
	}
	w.lease.renewed++
	w.lease.holder = e.me
	e.seen, e.since = w.lease, w.now
	e.ends = sent.Add(leaseDuration - leaseMargin)
	if !r.alive {
		w.trace("leads", r.name, "", "", r.life)
		if w.Setup.Warm {
			r.lead(w.dice.of(forProcess, r.id).of(forProcess, -e.turns))
		} else {
			r.start()
		}
	}
}

// lose ends the process; a new one stands by.
func (e *elector) lose() {
	e.r.die("lease lost")
	e.rename()
}

// rename gives the replica's next process its identity. A warm one stands by from then on.
func (e *elector) rename() {
	w := e.r.w
	w.identities++
	e.me = w.identities
	if w.Setup.Warm && w.begun {
		e.r.standBy()
	}
}
