package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// slotKey is a DaemonSet on a node.
type slotKey struct {
	owner types.UID
	node  string
}

// slot is what happened there.
type slot struct {
	pods      map[types.UID]*pod
	disturbed int64          // the revision at which the chaos interfered, until a Pod made later is available; else 0
	without   bool           // the controllers removed its available Pod, and no new one is available
	made      map[string]int // Pods by template
	log       []string
}

// violation is something that must never be, with the history of its slot up to then.
type violation struct {
	text string
	at   time.Time // when the recorder heard of it
	pods []string  // that are in the slot
	log  []string
}

// judge takes etcd's history change by change and looks after each whether what must never be is.
type judge struct {
	mu        sync.Mutex
	percent   int // maxUnavailable and maxSurge of the DaemonSets
	byChaos   map[types.UID]bool
	pods      map[string]*pod // by key
	daemons   map[types.UID]*daemon
	names     map[string]types.UID // of daemons, by key
	revisions map[string]*appsv1.ControllerRevision
	nodes     map[string]bool
	slots     map[slotKey]*slot
	holder    string

	violations []violation
	seen       tally
}

// tally is what there was to judge.
type tally struct {
	changes, checks, exempt            int
	made, removed, removedByChaos      int
	leaders, rollouts, mostOut, surges int
	lastWrite                          time.Time // of anything that the controllers may write, but their lease
	removals                           map[types.UID]string
}

func newJudge(percent int) *judge {
	return &judge{
		percent: percent, byChaos: map[types.UID]bool{}, pods: map[string]*pod{}, daemons: map[types.UID]*daemon{},
		names: map[string]types.UID{}, revisions: map[string]*appsv1.ControllerRevision{}, nodes: map[string]bool{}, slots: map[slotKey]*slot{},
		seen: tally{removals: map[types.UID]string{}},
	}
}

// willDisturb announces that the chaos is about to delete a Pod. Told before the request, it is known before the answer.
func (j *judge) willDisturb(uid types.UID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.byChaos[uid] = true
}

// take is the recorder's.
func (j *judge) take(c change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen.changes++
	switch {
	case strings.HasPrefix(c.key, podKeys):
		j.seen.lastWrite = time.Now()
		j.takePod(c)
	case strings.HasPrefix(c.key, daemonKeys):
		j.seen.lastWrite = time.Now()
		j.takeDaemon(c)
	case strings.HasPrefix(c.key, revisionKeys):
		j.seen.lastWrite = time.Now()
		j.takeRevision(c)
	case strings.HasPrefix(c.key, nodeKeys):
		j.takeNode(c)
	case strings.HasPrefix(c.key, "/registry/events/"+namespace+"/") && c.born:
		j.seen.lastWrite = time.Now()
	case c.key == leaseKey && c.value != nil:
		j.takeLease(c)
	}
}

func (j *judge) object(c change) any {
	o, err := decode(c)
	if err != nil {
		j.violations = append(j.violations, violation{text: "the history cannot be read: " + err.Error()})
	}
	return o
}

func (j *judge) takeLease(c change) {
	if l, ok := j.object(c).(*coordinationv1.Lease); ok && holderOf(l) != j.holder {
		if j.holder = holderOf(l); j.holder != "" {
			j.seen.leaders++
		}
	}
}

func (j *judge) takeRevision(c change) {
	delete(j.revisions, c.key)
	if c.value == nil {
		return
	}
	if r, ok := j.object(c).(*appsv1.ControllerRevision); ok {
		j.revisions[c.key] = r
	}
}

func (j *judge) takeDaemon(c change) {
	if c.value == nil {
		return
	}
	ds, ok := j.object(c).(*appsv1.DaemonSet)
	if !ok {
		return
	}
	d := daemonOf(ds)
	if old := j.daemons[ds.UID]; old != nil {
		d.done = old.done
	}
	if d.rolledOut() && d.done < d.generation {
		d.done = d.generation
		j.seen.rollouts++
	}
	j.daemons[ds.UID], j.names[c.key] = &d, ds.UID
}

// takeNode disturbs every slot of a node that is deleted, and again when it returns.
func (j *judge) takeNode(c change) {
	name := strings.TrimPrefix(c.key, nodeKeys)
	if j.nodes[name] == (c.value != nil) {
		return
	}
	j.nodes[name] = c.value != nil
	for owner := range j.daemons {
		k := slotKey{owner, name}
		if s := j.slots[k]; s != nil {
			j.disturb(k, c.rev)
			s.note(c.rev, "node is there: %v", c.value != nil)
		}
	}
}

func (j *judge) takePod(c change) {
	old := j.pods[c.key]
	if c.value == nil {
		delete(j.pods, c.key)
		if old == nil {
			return
		}
		k := slotKey{old.owner, old.node}
		s := j.slot(k)
		if old.living() {
			j.removed(k, old, c.rev, "at once")
		}
		delete(s.pods, old.uid)
		s.note(c.rev, "%s gone", old.name)
		return
	}
	stored, ok := j.object(c).(*corev1.Pod)
	if !ok {
		return
	}
	now := podOf(stored)
	if now == nil || now.node == "" {
		if ok && now != nil {
			j.violate(slotKey{now.owner, ""}, c.rev, "Pod %s was made without a node", stored.Name)
		}
		return
	}
	k := slotKey{now.owner, now.node}
	s := j.slot(k)
	if now.made = c.rev; !c.born && old != nil {
		now.made = old.made
	}
	j.pods[c.key], s.pods[now.uid] = now, now
	switch {
	case old == nil:
		j.made(k, now)
	case !old.ending && now.ending:
		j.removed(k, old, c.rev, "gracefully")
	case !old.available() && now.available():
		s.note(c.rev, "%s available", now.name)
		s.without = false
		if now.made > s.disturbed {
			s.disturbed = 0
		}
	case old.living() && now.ended, old.available() && !now.available():
		s.note(c.rev, "%s ready=%v ended=%v", now.name, now.ready, now.ended)
	}
}

// made looks at a Pod that is new.
func (j *judge) made(k slotKey, p *pod) {
	s, d := j.slots[k], j.daemons[k.owner]
	j.seen.made++
	s.note(p.made, "%s made, %s", p.name, p.version())
	if d == nil {
		j.violate(k, p.made, "Pod %s was made for a DaemonSet that does not exist", p.name)
		return
	}
	living := s.count(func(p *pod) bool { return p.living() })
	most := 1
	if d.surge {
		most = 2
	}
	j.seen.checks++
	if living > most {
		j.violate(k, p.made, "%d living Pods, at most %d may be", living, most)
	}
	if s.disturbed != 0 {
		j.seen.exempt++
		s.made = map[string]int{} // what is made to mend it is made for a reason
	}
	if s.made[p.image]++; s.disturbed == 0 && s.made[p.image] > 1 {
		j.violate(k, p.made, "Pod number %d of %s, although nobody disturbed the slot", s.made[p.image], p.version())
	}
}

// removed looks at a living Pod that was told to end.
func (j *judge) removed(k slotKey, p *pod, rev int64, how string) {
	s, d := j.slots[k], j.daemons[k.owner]
	if j.byChaos[p.uid] {
		j.seen.removedByChaos++
		s.note(rev, "%s deleted %s by the chaos", p.name, how)
		j.disturb(k, rev)
		return
	}
	j.seen.removed++
	j.seen.removals[p.uid] = fmt.Sprintf("%s on %s at revision %d", p.name, p.node, rev)
	s.note(rev, "%s deleted %s, available=%v", p.name, how, p.available())
	if s.disturbed != 0 || d == nil {
		j.seen.exempt++
		return
	}
	j.seen.checks++
	if !p.available() {
		return
	}
	if p.image == d.image {
		j.violate(k, rev, "available Pod %s of the present template was removed", p.name)
	}
	if s.count(func(o *pod) bool { return o.uid != p.uid && o.available() }) > 0 {
		j.seen.surges++
		return
	}
	if d.surge {
		j.violate(k, rev, "available Pod %s was removed before another one was available", p.name)
		return
	}
	s.without = true
	out := 0
	for other, s := range j.slots {
		if other.owner == k.owner && s.without {
			out++
		}
	}
	j.seen.mostOut = max(j.seen.mostOut, out)
	if out > j.budget() {
		j.violate(k, rev, "%d nodes have lost an available Pod and have none, at most %d may", out, j.budget())
	}
}

func (j *judge) budget() int {
	n := 0
	for _, there := range j.nodes {
		if there {
			n++
		}
	}
	return (n*j.percent + 99) / 100
}

func (j *judge) disturb(k slotKey, rev int64) {
	s := j.slot(k)
	s.disturbed, s.without = rev, false
}

func (j *judge) slot(k slotKey) *slot {
	s := j.slots[k]
	if s == nil {
		s = &slot{pods: map[types.UID]*pod{}, made: map[string]int{}}
		j.slots[k] = s
	}
	return s
}

func (s *slot) count(is func(*pod) bool) int {
	n := 0
	for _, p := range s.pods {
		if is(p) {
			n++
		}
	}
	return n
}

func (s *slot) note(rev int64, format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf("%7d  %s  ", rev, time.Now().UTC().Format("15:04:05.000"))+fmt.Sprintf(format, args...))
}

func (j *judge) violate(k slotKey, rev int64, format string, args ...any) {
	name := string(k.owner)
	if d := j.daemons[k.owner]; d != nil {
		name = d.name
	}
	v := violation{at: time.Now(), text: fmt.Sprintf("revision %d, %s on %s: ", rev, name, k.node) + fmt.Sprintf(format, args...)}
	if s := j.slots[k]; s != nil {
		v.log = slices.Clone(s.log[max(0, len(s.log)-recent):])
		for _, p := range s.pods {
			v.pods = append(v.pods, p.name)
		}
	}
	j.violations = append(j.violations, v)
}

// recent is how much of a slot's history is shown.
const recent = 12
