package simworld

import (
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// watcher plays the reflector of one kind: it lists, watches, resumes and lists afresh, and fills the real store.
type watcher struct {
	r      *Replica
	index  int
	kind   apimodel.Kind
	store  feed.Store
	lag    time.Duration
	open   bool   // a watch is under way
	at     uint64 // the version that has been told
	last   *apimodel.Change
	booked bool
	turns  uint64
	// sights are the stamps of Ready that the process saw, with the jump of the clock that was when it first did.
	sights map[sight]time.Duration
}

type sight struct {
	pod   types.UID
	stamp time.Time
}

func apiKind(k feed.Kind) apimodel.Kind { return apimodel.Kind(k) }

func newWatcher(r *Replica, index int, kind feed.Kind) *watcher {
	x := &watcher{r: r, index: index, kind: apiKind(kind)}
	x.store = feed.NewStore(kind, feedOptions(r.w), func(e feed.Event) {
		r.inbox = append(r.inbox, e)
		r.poke()
	})
	x.lag = r.w.lags[x.kind]
	return x
}

func (x *watcher) close() { x.open = false }

// again has the kind read afresh, as a reflector does that begins anew.
func (x *watcher) again() {
	x.r.pilot.Afresh(feed.Kind(x.kind))
	x.close()
	x.list(x.r.w.short(x.r, uint64(x.index)))
}

func (x *watcher) dice() dice {
	x.turns++
	return x.r.w.dice.of(forWatch, x.r.life*8+x.index).of(forWatch, int(x.turns))
}

// list asks for all objects; the answer comes a little later, as of a moment in between.
func (x *watcher) list(after time.Duration) {
	x.r.later(after, func() {
		w, d := x.r.w, x.dice()
		if w.outage() {
			x.list(d.between(1, time.Second, 10*time.Second))
			return
		}
		version := w.API.Version()
		if x.at > 0 && w.has(Backwards) && d.chance(2, 2) && version > 0 {
			w.hit(Backwards)
			version -= min(version, uint64(1+d.roll(3, 30)))
		}
		objects := w.API.ListAt(x.kind, version)
		took := d.between(4, 0, 20*time.Millisecond)
		if w.has(Expiry) && d.chance(5, 2) {
			took = d.between(6, 0, 5*time.Second)
			x.r.later(took/2, func() {
				w.hit(Expiry)
				w.API.Compact(w.API.Version())
			})
		}
		x.r.later(took, func() { x.replace(objects, version, d) })
	})
}

// replace gives a list to the store, as one or object by object as they stream in, and watches from there.
func (x *watcher) replace(objects []metav1.Object, version uint64, d dice) {
	items := make([]any, 0, len(objects))
	for _, o := range objects {
		item := x.item(o)
		if d.chance(7, 2) {
			got, err := x.store.Transformer()(item)
			if err != nil {
				panic(err) // it gives none
			}
			item = got
		}
		items = append(items, item)
	}
	x.r.w.trace("list", x.r.name, string(x.kind), "", int(version))
	if err := x.store.Replace(items, strconv.FormatUint(version, 10)); err != nil {
		x.list(d.between(8, 800*time.Millisecond, 3*time.Second))
		return
	}
	x.r.w.holds(IncrementFull, version >= x.at, func() string {
		return fmt.Sprintf("%s takes %s as of %d in, and knew %d", x.r.name, x.kind, version, x.at)
	})
	if untold := x.r.w.API.After(x.kind, x.at); x.at > 0 && len(untold) > 0 {
		x.r.worstLag = max(x.r.worstLag, x.r.w.now.Sub(x.r.w.committedAt(untold[0].Version)))
	}
	x.at = version
	x.watch()
}

// watch goes on from what has been told, or lists afresh where the past was compacted.
func (x *watcher) watch() {
	if x.r.w.outage() {
		x.r.later(x.dice().between(1, time.Second, 10*time.Second), x.watch)
		return
	}
	if err := x.r.w.API.Watchable(x.kind, x.at); err != nil {
		x.r.w.trace("gone", x.r.name, string(x.kind), "", int(x.at))
		x.list(x.r.w.short(x.r, uint64(x.index)))
		return
	}
	x.open = true
	x.pump()
}

// drop ends a watch; it is taken up again after a pause.
func (x *watcher) drop(pause time.Duration) {
	if x.open {
		x.open = false
		x.r.later(pause, x.watch)
	}
}

// pump books the telling of what has not been told.
func (x *watcher) pump() {
	if x.booked || !x.open {
		return
	}
	changes := x.r.w.API.After(x.kind, x.at)
	if len(changes) == 0 {
		return
	}
	x.booked = true
	due := x.r.w.committedAt(changes[0].Version).Add(x.lag)
	x.r.later(max(0, due.Sub(x.r.w.now)), func() {
		x.booked = false
		x.tell()
		x.pump()
	})
}

func (x *watcher) tell() {
	w := x.r.w
	changes := w.API.After(x.kind, x.at)
	for i := range changes {
		c := &changes[i]
		if !x.open || w.committedAt(c.Version).Add(x.lag).After(w.now) {
			return
		}
		x.at = c.Version
		x.r.worstLag = max(x.r.worstLag, w.now.Sub(w.committedAt(c.Version)))
		x.deliver(c)
		if w.has(Duplicates) && x.last != nil {
			if d := x.dice(); d.chance(1, 4) {
				w.hit(Duplicates)
				x.deliver([]*apimodel.Change{c, x.last}[d.roll(2, 2)])
			}
		}
		x.last = c
	}
}

// deliver gives one event to the store. Its errors are told to OnError, which traces them.
func (x *watcher) deliver(c *apimodel.Change) {
	item := x.item(c.New)
	switch c.Type {
	case watch.Added:
		_ = x.store.Add(item)
	case watch.Deleted:
		_ = x.store.Delete(item)
	default:
		_ = x.store.Update(item)
	}
}

// shifted is a Pod as a process sees it whose wall clock has jumped. Only what lies between its clock and a stamp when it
// first sees that can change: the stamp itself is stored.
func (x *watcher) shifted(p *corev1.Pod) *corev1.Pod {
	if !x.r.w.Setup.Faults.Has(ClockJump) || len(p.Status.Conditions) == 0 {
		return p
	}
	if x.sights == nil {
		x.sights = map[sight]time.Duration{}
	}
	at := p.Status.Conditions[0].LastTransitionTime
	seen := sight{p.UID, at.UTC()}
	shift, known := x.sights[seen]
	if !known { // an older stamp may be told once more in between
		shift = x.r.w.stampShift
		x.sights[seen] = shift
	}
	if shift != 0 {
		p = p.DeepCopy()
		p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(at.Add(-shift))
	}
	return p
}

// item is the object as it comes over the wire: a copy where the feed writes into it, and with the clocks' difference in
// the stamps.
func (x *watcher) item(o metav1.Object) any {
	switch o := o.(type) {
	case *appsv1.DaemonSet:
		c := *o
		return &c
	case *appsv1.ControllerRevision:
		c := *o
		return &c
	case *corev1.Pod:
		return x.shifted(o)
	default:
		return o
	}
}
