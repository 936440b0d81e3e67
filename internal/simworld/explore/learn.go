package explore

import (
	"github.com/everynode/everynode/internal/fleet"
)

// lesson is something about one node that a leader takes in, by the real fleet.
type lesson struct {
	kind lessonKind
	pod  pod
	// told: the watch has told of this already, so that a Pod that is not known is gone.
	told bool
}

type lessonKind uint8

const (
	seeChanged lessonKind = iota // a watch event
	seeGone
	seeAnswer // the Pod in an answer
	startCreate
	notCreated
	startDelete
	notDeleted
)

type lessonKey struct {
	view   view
	lesson lesson
}

// learner lets views take lessons in, and remembers how that came out.
type learner struct {
	facts *facts
	memo  map[lessonKey]view
}

// take gives the view as it is after the lesson.
func (l *learner) take(v view, what lesson) view {
	k := lessonKey{v, what}
	if out, ok := l.memo[k]; ok {
		return out
	}
	fl := l.facts.known(0, []view{v}, false)
	l.apply(fl, what)
	out := view{up: v.up, aged: v.aged, unsure: v.unsure, unsureName: v.unsureName}
	if s := fl.Daemon(setKey).Slot(nodeName(0)); s != nil {
		for _, p := range s.Pods {
			put(out.pods[:], l.read(p, v, what))
		}
	}
	if out.pods == ([maxPods]pod{}) {
		out.aged = false // the slot is dropped, and its quarantine with it
	}
	inOrder(out.pods[:])
	l.memo[k] = out
	return out
}

func (l *learner) apply(fl *fleet.Fleet, what lesson) {
	if what.kind == startCreate || what.kind == notCreated {
		p := l.facts.pendingPod(0, 0, what.pod)
		if what.kind == startCreate {
			fl.Creating(p, now)
		} else {
			fl.NotCreated(p)
		}
		return
	}
	p := l.facts.fact(0, what.pod)
	switch what.kind {
	case seeChanged:
		fl.ApplyPod(p, now)
	case seeGone:
		fl.DeletePod(p)
	case seeAnswer:
		if what.told {
			other := &fleet.Pod{Name: "other", UID: "other", Version: p.Version, Shape: &fleet.Shape{Namespace: "other"}}
			fl.ApplyPod(other, now)
			fl.DeletePod(other)
		}
		fl.ApplyAnswer(p, now)
	case startDelete:
		fl.MarkDeleting(p, true)
	case notDeleted:
		fl.MarkDeleting(p, false)
	}
}

// read finds out which Pod of the small world this is.
func (l *learner) read(p *fleet.Pod, v view, what lesson) pod {
	for _, q := range append(v.pods[:], what.pod) {
		if q.phase == 0 {
			continue
		}
		if p.Creating {
			if (q.creating || q == what.pod && what.kind == startCreate) && l.facts.nameOf(0, q.name) == p.Name {
				q.creating = true
				return q
			}
			continue
		}
		if q.uid != 0 && !q.creating && uidOf(0, q.uid) == p.UID && q.version() == p.Version {
			q.deleting = p.Deleting
			return q
		}
	}
	panic("explore: the fleet knows a Pod that nobody told it of")
}
