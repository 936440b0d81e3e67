package simworld

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// proceed lets a flight run until its next request, and sees to that.
func (r *Replica) proceed(f *flight) {
	if f.dead {
		return
	}
	f.pending = nil
	q, more := f.resume()
	switch {
	case f.dead:
	case !more:
		r.land(f)
	case q.pause > 0:
		r.later(q.pause, func() { r.proceed(f) })
	default:
		r.dispatch(f, &q)
	}
}

// dispatch sends a request on its way, through whatever the schedule has in store for it.
func (r *Replica) dispatch(f *flight, q *request) {
	w := r.w
	f.pending = q
	w.requests++
	n := w.requests
	d := w.dice.of(forRequest, n)
	w.sound.sent(r, q)
	fault, hit := w.callFault(n)
	if hit && !applies(fault, q) {
		hit = false
	}
	if w.outage() {
		r.later(d.between(1, 0, 50*time.Millisecond), func() { r.fail(f, context.DeadlineExceeded) })
		return
	}
	there, back := d.between(2, 0, 20*time.Millisecond), d.between(3, 0, 20*time.Millisecond)
	if w.has(Slow) && d.chance(4, 3) {
		there = d.between(5, 0, 2*time.Second)
	}
	if hit {
		w.hitOn(fault, f.call)
		r.fault(fault, f, q, d, there, back)
		return
	}
	r.deliver(f, q, there, back)
}

// deliver takes a request to the server and its answer home.
func (r *Replica) deliver(f *flight, q *request, there, back time.Duration) {
	w := r.w
	if there+back >= timeOut {
		r.later(timeOut, func() { r.timeout(f, q) })
		w.later(there, func() { w.serve(r, f, q) })
		return
	}
	var arrive func()
	arrive = func() {
		if q.held && r.paused() {
			w.agenda.book(r.pausedUntil, arrive)
			return
		}
		w.serve(r, f, q)
		if !q.abandoned {
			r.later(back, func() { r.proceed(f) })
		}
	}
	w.later(there, arrive)
}

// timeout ends the waiting for an answer; the request goes its way.
func (r *Replica) timeout(f *flight, q *request) {
	if f.pending == q {
		r.fail(f, context.DeadlineExceeded)
	}
}

// fail tells a flight that no answer will come.
func (r *Replica) fail(f *flight, err error) {
	f.lost = err
	r.proceed(f)
}

// fault does to a request what the schedule says.
func (r *Replica) fault(fault Fault, f *flight, q *request, d dice, there, back time.Duration) {
	w := r.w
	answer := func(err error) {
		q.refuse(err)
		w.later(there+back, func() { r.later(0, func() { r.proceed(f) }) })
	}
	switch fault {
	case CrashBefore:
		r.crash("before "+q.verb+" "+q.name, d)
	case CrashAfter:
		w.later(there, func() {
			w.serve(r, f, q)
			if !f.dead {
				r.crash("after "+q.verb+" "+q.name, d)
			}
		})
	case LostRequest:
		r.later(there, func() { r.fail(f, context.DeadlineExceeded) })
	case LostAnswer:
		w.later(there, func() {
			w.serve(r, f, q)
			r.later(back, func() { r.fail(f, errReset) })
		})
	case LateCommit:
		r.deliver(f, q, timeOut+d.between(6, 0, time.Minute), 0)
	case Slow:
		r.deliver(f, q, d.between(6, time.Second, time.Minute), back)
	case Conflict:
		answer(apierrors.NewConflict(resourceOf(q.kind), q.name, errInjected))
	case TooMany:
		answer(apierrors.NewTooManyRequests("too many requests, please try again later", 1+d.roll(7, 5)))
	default:
		if d.chance(8, 2) {
			w.serve(r, f, q)
		}
		answer(serverError(q.kind, d))
	}
}

// applies tells whether a fault can hit such a request.
func applies(fault Fault, q *request) bool {
	if fault == Conflict {
		return q.verb == "update" || q.verb == "delete" || q.verb == "patch"
	}
	return true
}

// crash kills a process; what has not left it dies with it, and a new one starts.
func (r *Replica) crash(why string, d dice) {
	if !r.alive {
		return
	}
	w := r.w
	w.sound.crashed(r)
	r.die("crash " + why)
	if w.elected() {
		r.lease.rename()
		return
	}
	w.later(d.between(9, 50*time.Millisecond, 5*time.Second), func() {
		if !r.alive {
			r.start()
		}
	})
}

// serve lets the server carry a request out.
func (w *World) serve(r *Replica, f *flight, q *request) {
	if q.served {
		return
	}
	q.served = true
	w.serving = &serving{replica: r, flight: f, request: q}
	q.serve()
	w.serving = nil
	w.trace(q.verb, r.name, q.name, callName(f.call), f.number)
}

// serving is the controller's request that the server is at work on; nil where somebody else writes.
type serving struct {
	replica *Replica
	flight  *flight
	request *request
}

func (s *serving) call() act.Call { return s.flight.call }

func resourceOf(k apimodel.Kind) (gr groupResource) {
	gr.Resource = string(k)
	return gr
}
