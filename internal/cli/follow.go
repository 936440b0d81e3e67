package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/progress"
	"github.com/everynode/everynode/internal/snapshot"
)

// lull is how long changes are gathered before they are shown.
const lull = 200 * time.Millisecond

// follower keeps a fleet up to date by watches, and tells how far rollouts are.
type follower struct {
	fleet   *fleet.Fleet
	choose  func(*fleet.Daemon) bool
	runners map[types.NamespacedName]snapshot.Runner
	known   map[types.NamespacedName]progress.Progress
	next    map[types.NamespacedName]time.Time
	synced  map[feed.Kind]bool
}

func newFollower(w *snapshot.World, choose func(*fleet.Daemon) bool) *follower {
	f := &follower{
		fleet:  fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return match.New(ds) }),
		choose: choose, runners: map[types.NamespacedName]snapshot.Runner{}, known: map[types.NamespacedName]progress.Progress{},
		next: map[types.NamespacedName]time.Time{}, synced: map[feed.Kind]bool{},
	}
	for _, d := range w.Fleet.Daemons() {
		f.runners[d.Key] = w.Runner(d)
	}
	return f
}

// Follow calls each with all that were chosen, at once and after each change, until it says that that was enough.
func (c *Connection) Follow(ctx context.Context, w *snapshot.World, choose func(*fleet.Daemon) bool, each func([]progress.Progress) (enough bool)) error {
	client, _, err := c.Client()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	events := make(chan feed.Event, 1024)
	go c.feed(ctx, client, stop, events)
	f := newFollower(w, choose)
	tick := time.NewTicker(lull)
	defer tick.Stop()
	first := true
	for {
		select {
		case <-ctx.Done():
			return cause(ctx)
		case e := <-events:
			f.take(e)
		case now := <-tick.C:
			if len(f.synced) < len(feed.Kinds) {
				continue
			}
			if f.renew(now) || first {
				first = false
				if each(f.list()) {
					return nil
				}
			}
		}
	}
}

// cause is why a context ended, if that was not the person's wish.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// feed reads until ctx ends. A right that is missing ends it; a server that does not answer is asked again.
func (c *Connection) feed(ctx context.Context, client kubernetes.Interface, stop context.CancelCauseFunc, events chan<- feed.Event) {
	feed.Run(ctx, client, feed.Options{Target: match.Target, OnError: func(kind feed.Kind, err error) {
		if apierrors.IsForbidden(err) {
			stop(&Error{
				What: fmt.Sprintf("%s of all namespaces may not be watched", kind), Why: errors.Unwrap(err).Error(), Cause: err,
				Next: []string{"ask for the right to list and watch them, or look once: leave --watch out"},
			})
			return
		}
		fmt.Fprintf(c.Streams.ErrOut, "note: %v; it is tried again\n", err)
	}}, events)
}

func (f *follower) take(e feed.Event) {
	e.Apply(f.fleet, time.Now())
	if e.Synced {
		f.synced[e.Kind] = true
	}
}

// renew plans again where something changed or time has come, and tells whether anything looks different.
func (f *follower) renew(now time.Time) bool {
	for key, at := range f.next {
		if !now.Before(at) {
			f.fleet.Touch(key)
			delete(f.next, key)
		}
	}
	changed := false
	for _, d := range f.fleet.Dirty() {
		if !f.choose(d) {
			continue
		}
		p := f.progress(d, now)
		old, known := f.known[d.Key]
		if !known || !same(old, p) {
			f.known[d.Key], changed = p, true
		}
	}
	for key := range f.known {
		if f.fleet.Daemon(key) == nil {
			delete(f.known, key)
			changed = true
		}
	}
	return changed
}

func (f *follower) progress(d *fleet.Daemon, now time.Time) progress.Progress {
	runner := f.runners[d.Key]
	if runner.Placement == "" {
		runner.Placement = plan.Direct
	}
	in := plan.Input{Daemon: d, Revisions: f.fleet.Revisions(d), Orphans: f.fleet.Orphans(d), Now: now, Placement: runner.Placement}
	p, err := plan.Compute(in)
	if err == nil && runner.By == snapshot.BuiltIn && p.Hash != "" {
		d.Approved = p.Hash // it asks for no dry run
		p, err = plan.Compute(in)
	}
	if err != nil {
		return progress.Undecidable(d, err)
	}
	out := progress.Of(p, now)
	f.next[d.Key] = p.Next
	if out.State == progress.Rolling && (p.Next.IsZero() || p.Next.After(now.Add(time.Minute))) {
		f.next[d.Key] = now.Add(time.Minute) // by then it may count as halted
	}
	if f.next[d.Key].IsZero() {
		delete(f.next, d.Key)
	}
	return out
}

func (f *follower) list() []progress.Progress {
	out := []progress.Progress{}
	for _, d := range f.fleet.Daemons() {
		if p, ok := f.known[d.Key]; ok {
			out = append(out, p)
		}
	}
	return out
}

func same(a, b progress.Progress) bool {
	blockers := slices.EqualFunc(a.Blockers, b.Blockers, func(x, y progress.Blocker) bool { return x.Code == y.Code && slices.Equal(x.Nodes, y.Nodes) })
	a.Blockers, b.Blockers = nil, nil
	return blockers && a.Rollout() == b.Rollout() && a.Sentence() == b.Sentence() &&
		a.Current == b.Current && a.Ready == b.Ready && a.Available == b.Available && a.Misplaced == b.Misplaced && a.Revision == b.Revision
}
