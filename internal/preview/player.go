package preview

import (
	"container/heap"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

// Player plays rollouts on a virtual clock: what plan.Compute says is carried out at once, and kubelets are modelled.
type Player struct {
	// Fleet is the player's own, and is written to.
	Fleet     *fleet.Fleet
	Placement plan.Placement
	Kubelets  Kubelets
	// Only are the DaemonSets that are played; all others stay as they are.
	Only []types.NamespacedName
	// Work bounds the play: it stops when it has looked at this many slots. 0 is no bound.
	Work int

	begin, now time.Time
	agenda     agenda
	serial     uint64
	worked     int
	templates  map[types.UID]template
	told       []Moment
}

// template keeps revision data, which takes long to make, for the Daemon that it was made of.
type template struct {
	daemon *fleet.Daemon
	data   []byte
}

// Happening is what a Moment tells of.
type Happening string

// The happenings of a timeline.
const (
	// PodDeleted: a Pod was told to go; what follows on its node depends on the reason.
	PodDeleted Happening = "deleted"
	// PodCreated: a Pod was made.
	PodCreated Happening = "created"
	// PodReady: a Pod became Ready.
	PodReady Happening = "ready"
	// NodeSilent: the control plane noticed that a node has fallen silent.
	NodeSilent Happening = "node-silent"
)

// Moment is one happening of a play.
type Moment struct {
	At     metav1.Duration      `json:"at"`
	Daemon types.NamespacedName `json:"-"`
	What   Happening            `json:"what"`
	Node   string               `json:"node"`
	Code   fleet.Code           `json:"code,omitempty"`
	Detail string               `json:"detail,omitempty"`
}

// Outcome is what a play came to.
type Outcome struct {
	Moments []Moment
	// Took is the time of the last moment.
	Took time.Duration
	// Plans are the last plans, by DaemonSet: with nothing left to do, or stuck; their Waits tell on what.
	Plans map[types.NamespacedName]plan.Plan
	// Complete tells that the play came to its end and was not cut short by Work.
	Complete bool
}

// firstVersion is above every resourceVersion of a cluster.
const firstVersion = 1 << 62

// Play plays from the moment begin until nothing more happens.
func (p *Player) Play(begin time.Time) (Outcome, error) {
	p.begin, p.now = begin, begin
	p.templates = map[types.UID]template{}
	p.start()
	for _, key := range p.Only {
		p.Fleet.Touch(key)
	}
	out := Outcome{Plans: map[types.NamespacedName]plan.Plan{}, Complete: true}
	for {
		if err := p.settle(out.Plans); err != nil {
			return Outcome{}, err
		}
		if len(p.agenda) == 0 {
			break
		}
		if p.Work > 0 && p.worked > p.Work {
			out.Complete = false
			break
		}
		p.now = p.agenda[0].at
		for len(p.agenda) > 0 && !p.agenda[0].at.After(p.now) {
			heap.Pop(&p.agenda).(event).do() //nolint:forcetypeassert // the agenda holds nothing else
		}
	}
	out.Moments = p.told
	if n := len(p.told); n > 0 {
		out.Took = p.told[n-1].At.Duration
	}
	return out, nil
}

// settle carries out plans until none has anything left to do at this moment.
func (p *Player) settle(plans map[types.NamespacedName]plan.Plan) error {
	const most = 100 // history takes a few rounds, everything else two or three
	for range most {
		acted := false
		for _, d := range p.Fleet.Dirty() {
			if !p.plays(d) {
				continue
			}
			pl, err := p.compute(d)
			if err != nil {
				return err
			}
			plans[d.Key] = pl
			p.wake(pl.Next, d.Key)
			did, err := p.carryOut(d, pl)
			if err != nil {
				return err
			}
			acted = acted || did
		}
		if !acted {
			return nil
		}
	}
	return fmt.Errorf("the plan does not come to rest at +%s: this is an error of everynode; please report it with `everynode plan -o json`", p.since())
}

func (p *Player) compute(d *fleet.Daemon) (plan.Plan, error) {
	t := p.templates[d.UID]
	if t.daemon != d {
		data, err := revision.Data(&d.Object.Spec.Template)
		if err != nil {
			return plan.Plan{}, fmt.Errorf("DaemonSet %s: %w", d.Key, err)
		}
		t = template{d, data}
		p.templates[d.UID] = t
	}
	p.worked += len(d.Slots())
	return plan.Compute(plan.Input{
		Daemon: d, Revisions: p.Fleet.Revisions(d), Orphans: p.Fleet.Orphans(d), Template: t.data, Now: p.now, Placement: p.Placement,
	})
}

func (p *Player) plays(d *fleet.Daemon) bool {
	for _, key := range p.Only {
		if d.Key == key {
			return true
		}
	}
	return false
}

func (p *Player) daemons() []*fleet.Daemon {
	var out []*fleet.Daemon
	for _, key := range p.Only {
		if d := p.Fleet.Daemon(key); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// wake looks at a DaemonSet again when its plan says so.
func (p *Player) wake(at time.Time, key types.NamespacedName) {
	if at.After(p.now) {
		p.at(at.Sub(p.begin), func() { p.Fleet.Touch(key) })
	}
}

// Change puts a DaemonSet as it would be applied into the fleet.
func (p *Player) Change(ds *appsv1.DaemonSet, now time.Time) {
	p.Fleet.ApplyDaemon(ds, p.version(), false, now)
}

func (p *Player) since() time.Duration { return p.now.Sub(p.begin) }

func (p *Player) version() fleet.Version {
	p.serial++
	return fleet.Version(firstVersion + p.serial)
}

func (p *Player) apply(pod *fleet.Pod) {
	pod.Version = p.version()
	p.Fleet.ApplyPod(pod, p.now)
}

func (p *Player) tell(d *fleet.Daemon, what Happening, node string, why fleet.Reason) {
	p.told = append(p.told, Moment{At: metav1.Duration{Duration: p.since()}, Daemon: d.Key, What: what, Node: node, Code: why.Code, Detail: why.Detail})
}

// event is something that happens at a time; those of one time happen in the order in which they were entered.
type event struct {
	at    time.Time
	order uint64
	do    func()
}

func (p *Player) at(after time.Duration, do func()) {
	p.serial++
	heap.Push(&p.agenda, event{p.begin.Add(after), p.serial, do})
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || (a[i].at.Equal(a[j].at) && a[i].order < a[j].order)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) } //nolint:forcetypeassert // see at
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	*a = old[:len(old)-1]
	return e
}
