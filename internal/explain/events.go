package explain

import (
	"strings"
	"time"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

// events are the newest ones of each reason about a DaemonSet.
type events map[string]snapshot.Event

func eventsOf(w *snapshot.World, d *fleet.Daemon) events {
	out := events{}
	for _, e := range w.Events {
		if e.Namespace != d.Key.Namespace || e.Name != d.Key.Name || (e.UID != "" && e.UID != d.UID) {
			continue
		}
		if old, ok := out[e.Reason]; !ok || e.Last.After(old.Last) {
			out[e.Reason] = e
		}
	}
	return out
}

// The reasons of events that both controllers give, and everynode's own.
const (
	failedCreate     = "FailedCreate"
	successfulCreate = "SuccessfulCreate"
	failedDelete     = "FailedDelete"
	rolloutBlocked   = "RolloutBlocked"
)

// eventAge is how long a refusal is believed when nothing newer is known. The built-in controller's longest pause is
// almost 17 minutes.
const eventAge = 20 * time.Minute

// refused gives the API server's words if the last that was heard of creates is a refusal.
func (e events) refused(now time.Time) (text string, at time.Time, ok bool) {
	f, ok := e[failedCreate]
	if !ok || now.Sub(f.Last) > eventAge || e[successfulCreate].Last.After(f.Last) {
		return "", time.Time{}, false
	}
	return strings.TrimPrefix(f.Message, "Error creating: "), f.Last, true
}

// notDeleted does the same for deletes.
func (e events) notDeleted(now time.Time) (text string, ok bool) {
	f, ok := e[failedDelete]
	if !ok || now.Sub(f.Last) > eventAge {
		return "", false
	}
	return strings.TrimPrefix(f.Message, "Error deleting: "), true
}

// blocked gives the API server's words about the new revision's Pod.
func (e events) blocked(now time.Time, since time.Time) (text string, ok bool) {
	f, ok := e[rolloutBlocked]
	if !ok || now.Sub(f.Last) > eventAge || f.Last.Before(since) {
		return "", false
	}
	_, words, _ := strings.Cut(f.Message, "would refuse the new one: ")
	return words, true
}
