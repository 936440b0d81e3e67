package simworld

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

type groupResource = schema.GroupResource

var (
	errReset    = errors.New("read: connection reset by peer")
	errInjected = errors.New("the object has been modified; please apply your changes to the latest version and try again")
)

// epoch is when every world begins.
var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// hotLoop is more than can happen in one moment, unless somebody is busy with nothing.
const hotLoop = 20_000

// World is one cluster on a virtual clock.
type World struct {
	Setup Setup
	API   *apimodel.Server
	// Found are the violations, the first of which ends the run.
	Found []Violation
	// Stats is what happened.
	Stats Stats

	schedule Schedule
	dice     dice
	now      time.Time
	agenda   agenda
	commits  []time.Time // by version, from 1
	replicas []*Replica
	herald   *act.Herald
	faults   Faults
	lags     map[apimodel.Kind]time.Duration
	kubelets *kubelets
	sound    *sound

	calls, requests, identities int
	// begun tells that the replicas run.
	begun      bool
	downUntil  time.Time
	stampShift time.Duration
	lease      leaseRecord
	serving    *serving
	admission  admission

	// recent are the faults that have been injected; daemonUIDs all DaemonSets that ever were.
	recent     Faults
	daemonUIDs map[types.UID]bool
	gcBooked   bool

	hash    hash.Hash64
	buf     []byte
	verbose bool
	lines   []string
	events  int
	atOnce  int // how much has happened in this moment
}

// NewWorld makes the world of a schedule; nothing has happened in it yet.
func NewWorld(s Schedule, verbose bool) *World {
	w := &World{
		Setup: s.Setup, schedule: s, dice: dice(mix(s.Seed + 1)), now: epoch, faults: s.Setup.Faults,
		lags: map[apimodel.Kind]time.Duration{}, hash: fnv.New64a(), verbose: verbose, commits: []time.Time{epoch},
		daemonUIDs: map[types.UID]bool{}, Stats: Stats{Runs: 1, Checks: map[Invariant]int{}, Met: map[string]*[faultCount]int{}},
	}
	w.API = apimodel.New(w.clock)
	w.API.Committed = w.committed
	w.admission = admission{w: w, quota: -1}
	w.API.Admit, w.API.AdmitDelete = w.admission.create, w.admission.delete
	w.herald = act.NewHerald(recorder{w}, scheme.Scheme)
	w.sound = newSound(w)
	w.kubelets = newKubelets(w)
	for _, k := range apimodel.Kinds {
		w.lags[k] = w.dice.of(forWatch, len(k)).between(1, 0, 30*time.Millisecond)
	}
	for i := range s.Setup.Replicas {
		r := &Replica{w: w, id: i + 1, name: fmt.Sprintf("everynode-%d", i+1)}
		r.lease.r = r
		r.lease.rename()
		w.replicas = append(w.replicas, r)
	}
	return w
}

func (w *World) clock() time.Time { return w.now }

func (w *World) elected() bool { return len(w.replicas) > 1 }

func (w *World) has(f Fault) bool { return w.faults.Has(f) }

func (w *World) outage() bool { return w.now.Before(w.downUntil) }

func (w *World) later(d time.Duration, do func()) { w.agenda.book(w.now.Add(d), do) }

// committedAt is when a version was committed.
func (w *World) committedAt(version uint64) time.Time { return w.commits[version] }

// short is a process's way to the server.
func (w *World) short(r *Replica, turn uint64) time.Duration {
	return w.dice.of(forProcess, r.life<<4|r.id).between(turn, 0, 30*time.Millisecond)
}

// run lets the world live until end, or until something is found.
func (w *World) run(end time.Time) {
	for len(w.Found) == 0 {
		a, ok := w.agenda.next(end)
		if !ok {
			w.now = end
			return
		}
		if a.at.After(w.now) {
			w.now, w.atOnce = a.at, 0
		}
		if w.atOnce++; w.atOnce > hotLoop {
			w.holds(NoHotLoop, false, func() string { return fmt.Sprintf("%d things in one moment", w.atOnce) })
		}
		w.Stats.Moments++
		a.do()
	}
}

// committed is told of every write: the true history.
func (w *World) committed(c apimodel.Change) {
	w.commits = append(w.commits, w.now)
	w.trace(string(c.Type), c.Actor, string(c.Kind), c.New.GetName(), int(c.Version))
	if w.serving != nil {
		w.Stats.Writes++
	}
	w.Stats.Commits++
	w.sound.committed(c, w.serving)
	w.kubelets.committed(c)
	for _, r := range w.replicas {
		for _, x := range r.watches {
			if x.kind == c.Kind {
				x.pump()
			}
		}
	}
}

// trace notes what happens, in the hash, and in words where they are wanted.
func (w *World) trace(what, who, a, b string, n int) {
	w.buf = append(w.buf[:0], what...)
	w.buf = append(append(w.buf, 0), who...)
	w.buf = append(append(w.buf, 0), a...)
	w.buf = append(append(w.buf, 0), b...)
	at := uint64(w.now.Sub(epoch))
	for range 8 {
		w.buf = append(w.buf, byte(at), byte(n))
		at, n = at>>8, n>>8
	}
	w.hash.Write(w.buf)
	if w.verbose {
		w.lines = append(w.lines, fmt.Sprintf("%12s  %-9s %-12s %s %s", "+"+w.now.Sub(epoch).String(), what, who, a, b))
	}
}

// Hash is the fingerprint of all that happened.
func (w *World) Hash() uint64 { return w.hash.Sum64() }

// recorder counts the events that really go out.
type recorder struct{ w *World }

// Event, Eventf and AnnotatedEventf make it a record.EventRecorder.
func (r recorder) Event(_ runtime.Object, kind, reason, message string) {
	r.w.events++
	r.w.trace("event", kind, reason, message, 0)
}

// Eventf is Event with a format.
func (r recorder) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	r.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

// AnnotatedEventf is Eventf; nothing here annotates.
func (r recorder) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	r.Eventf(object, kind, reason, format, args...)
}
