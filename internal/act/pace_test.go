package act

import (
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// round starts as many calls as there is room for and answers all of them alike.
func round(p *Pace, o Outcome, now time.Time) int {
	n := p.Room()
	for range n {
		p.Started()
	}
	for range n {
		p.Answered(o, now)
	}
	return n
}

func TestPaceDoublesUntilItsBound(t *testing.T) {
	p := NewPace(1, 20)
	for i, want := range []int{1, 2, 4, 8, 16, 20, 20} {
		if got := round(p, Done, t0); got != want {
			t.Errorf("round %d: %d calls, want %d", i, got, want)
		}
	}
}

func TestPaceHalvesOncePerBurstOfBusyAnswers(t *testing.T) {
	p := NewPace(16, 64)
	round(p, Busy, t0)
	if p.Room() != 8 {
		t.Errorf("after one burst there is room for %d, want 8", p.Room())
	}
	round(p, Busy, t0.Add(2*time.Second))
	if p.Room() != 4 {
		t.Errorf("after a second burst there is room for %d, want 4", p.Room())
	}
}

func TestRampPausesLongerAndLongerUntilOneSucceeds(t *testing.T) {
	r := NewRamp()
	now := t0
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if r.Room(now) != 1 {
			t.Fatalf("room for %d calls at the end of a pause, want 1", r.Room(now))
		}
		r.Started()
		r.Answered(Refused, now, 0)
		if pause := r.ResumeAt().Sub(now); pause != want*time.Second || r.Room(now) != 0 {
			t.Fatalf("pause %v with room for %d, want %v and none", pause, r.Room(now), want*time.Second)
		}
		now = r.ResumeAt()
	}
	r.Started()
	r.Answered(Done, now, 0)
	if r.Room(now) != 2 {
		t.Errorf("after a success there is room for %d, want 2", r.Room(now))
	}
}

func TestRampPausesWhateverTheRefusalIsCalled(t *testing.T) {
	for _, o := range []Outcome{Refused, Closing, Busy, Conflict, Gone} {
		r := NewRamp()
		r.Started()
		r.Answered(o, t0, 0)
		if r.Room(t0) != 0 {
			t.Errorf("after %v the next create may start at once", o)
		}
	}
}

func TestRampWaitsAsLongAsTheServerAsks(t *testing.T) {
	r := NewRamp()
	r.Started()
	r.Answered(Busy, t0, 20*time.Second)
	if got := r.ResumeAt().Sub(t0); got != 20*time.Second {
		t.Errorf("resumes after %v, want 20s", got)
	}
}

func TestAQuarterOfThePaceIsKeptForWhatIsUrgent(t *testing.T) {
	p := NewPace(8, 8)
	for range 6 {
		p.Started()
	}
	if p.SpareRoom() != 0 || p.Room() != 2 {
		t.Errorf("with 6 of 8 calls under way there is room for %d, and for %d urgent ones; want 0 and 2", p.SpareRoom(), p.Room())
	}
	if one := NewPace(1, 8); one.SpareRoom() != 1 {
		t.Error("a bound of one keeps all rollouts from going on")
	}
}
