package fleet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Millions of Pods are kept, so what most of them have is kept in few bytes.

// Stamp is a moment that an API object tells of, in microseconds since 1970; zero is none.
type Stamp int64

// StampOf makes a Stamp; the zero time gives none.
func StampOf(t time.Time) Stamp {
	if t.IsZero() {
		return 0
	}
	return Stamp(t.UnixMicro())
}

// Time is the moment; the zero time where there is none.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(s)).UTC()
}

// Phase is status.phase of a Pod.
type Phase uint8

// The phases of core/v1; PhaseNone is one that was not told. What this version does not know of is PhaseUnknown.
const (
	PhaseNone Phase = iota
	PhasePending
	PhaseRunning
	PhaseSucceeded
	PhaseFailed
	PhaseUnknown
)

var phases = [...]corev1.PodPhase{"", corev1.PodPending, corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown}

// PhaseOf reads a phase as the API has it.
func PhaseOf(phase corev1.PodPhase) Phase {
	for i, p := range phases {
		if p == phase {
			return Phase(i)
		}
	}
	return PhaseUnknown
}

// API is the phase as the API has it.
func (p Phase) API() corev1.PodPhase { return phases[p] }

func (p Phase) String() string { return string(phases[p]) }
