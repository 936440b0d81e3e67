package simworld

import (
	"fmt"
	"time"
)

// Invariant is one promise, by its number in the project's catalogue.
type Invariant string

// The invariants.
const (
	Ownership     Invariant = "I1"
	ExactTarget   Invariant = "I2"
	AtMostOne     Invariant = "I3"
	Budget        Invariant = "I4"
	SurgeBudget   Invariant = "I5"
	OnDelete      Invariant = "I6"
	Eligibility   Invariant = "I7"
	NoRevival     Invariant = "I8"
	Fidelity      Invariant = "I9"
	History       Invariant = "I10"
	StatusTruth   Invariant = "I11"
	Confinement   Invariant = "I12"
	OrphanAdopt   Invariant = "I13"
	Leadership    Invariant = "I14"
	OwnWrites     Invariant = "I15"
	Convergence   Invariant = "I16"
	Bounded       Invariant = "I17"
	Determinism   Invariant = "I18"
	Silence       Invariant = "I19"
	NoHotLoop     Invariant = "I20"
	Isolation     Invariant = "I21"
	CrashEqual    Invariant = "I22"
	Clocks        Invariant = "I23"
	IncrementFull Invariant = "I24"
)

var invariants = []Invariant{
	Ownership, ExactTarget, AtMostOne, Budget, SurgeBudget, OnDelete, Eligibility, NoRevival, Fidelity, History, StatusTruth,
	Confinement, OrphanAdopt, Leadership, OwnWrites, Convergence, Bounded, Determinism, Silence, NoHotLoop, Isolation, CrashEqual, Clocks, IncrementFull,
}

var promises = map[Invariant]string{
	Ownership:     "writes hit our own Pods, and orphans that match",
	ExactTarget:   "a delete names the Pod, and its state where that decided",
	AtMostOne:     "at most one live Pod of ours on a node, with surge two",
	Budget:        "no more available Pods taken than maxUnavailable",
	SurgeBudget:   "no more pairs than maxSurge, no old Pod before its time",
	OnDelete:      "OnDelete deletes nothing for an update",
	Eligibility:   "Pods only where they may run",
	NoRevival:     "nothing made for a DaemonSet that is gone",
	Fidelity:      "a Pod is what the template says",
	History:       "one revision holds the template; none in use is dropped",
	StatusTruth:   "the status is true and goes forward",
	Confinement:   "writes stay in the DaemonSet's namespace",
	OrphanAdopt:   "orphans are left alone, adopted Pods not deleted at once",
	Leadership:    "nothing is sent when the lease may be over",
	OwnWrites:     "no decision forgets an own write that was answered",
	Convergence:   "left alone, the cluster becomes what the spec says",
	Bounded:       "and with no more writes than that takes",
	Determinism:   "the same facts give the same plan",
	Silence:       "at rest: no writes, no events",
	NoHotLoop:     "refused calls are repeated ever more slowly",
	Isolation:     "a DaemonSet in trouble holds up no other",
	CrashEqual:    "a crash changes nothing in the end",
	Clocks:        "clocks that jump take no Pod",
	IncrementFull: "facts kept by difference equal facts read afresh",
}

// Promise is the invariant in words.
func (i Invariant) Promise() string { return promises[i] }

// Violation is an invariant that did not hold.
type Violation struct {
	Invariant Invariant
	// At is since the world began.
	At   time.Duration
	Text string
}

// String gives the violation in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s (%s) violated at +%v: %s", v.Invariant, v.Invariant.Promise(), v.At, v.Text)
}

// holds notes that an invariant was checked, and a violation if it did not hold.
func (w *World) holds(i Invariant, ok bool, text func() string) {
	w.Stats.Checks[i]++
	if ok {
		return
	}
	v := Violation{Invariant: i, At: w.now.Sub(epoch), Text: text()}
	w.trace("VIOLATED", string(i), v.Text, "", 0)
	w.Found = append(w.Found, v)
}
