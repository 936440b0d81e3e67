package fleet

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// truth is what an API server has, and what it has yet to tell: by a watch, in order, and in answers, whenever they come.
type truth struct {
	t       *rapid.T
	f       *Fleet
	version Version
	pods    map[string]*Pod
	untold  []told
	calls   map[string]*call // creates that are not answered
	// heard are the names of those of which the watch or a list has told more since.
	heard map[string]bool
	ours  map[string]types.UID
}

// call is a create on its way there and back.
type call struct {
	arrived bool
	made    *Pod // nil if it made none
}

type told struct {
	pod  *Pod
	gone bool
}

func (w *truth) next() Version { w.version++; return w.version }

func (w *truth) name() string {
	return rapid.SampledFrom([]string{"a", "a", "a", "b"}).Draw(w.t, "name")
}

func known(p *Pod, v Version) *Pod {
	out := *p
	out.Version = v
	return &out
}

// create begins a call of ours, where nothing is known under the name.
func (w *truth) create() {
	name := w.name()
	if _, busy := w.calls[name]; busy || w.f.Pod(types.NamespacedName{Namespace: "default", Name: name}) != nil {
		return
	}
	w.f.Creating(pod(name, "", "d", "n1", 0), t0)
	w.calls[name], w.heard[name] = &call{}, false
}

// arrive has a call make its Pod, if the name is free then.
func (w *truth) arrive(name string) {
	if c := w.calls[name]; c != nil && !c.arrived {
		c.arrived, c.made = true, w.make(name)
	}
}

// make makes a Pod, whoever asked for it; nil if the name is taken.
func (w *truth) make(name string) *Pod {
	if w.pods[name] != nil {
		return nil
	}
	v := w.next()
	made := pod(name, fmt.Sprint("uid-", v), "d", "n1", v)
	w.pods[name] = made
	w.untold = append(w.untold, told{known(made, v), false})
	return made
}

func (w *truth) answer(name string) {
	w.arrive(name)
	if w.calls[name] == nil {
		return
	}
	made := w.calls[name].made
	delete(w.calls, name)
	if made == nil {
		w.f.NotCreated(pod(name, "", "d", "n1", 0))
		return
	}
	w.f.ApplyAnswer(known(made, made.Version), t0)
	if now := w.pods[name]; now != nil && now.UID == made.UID {
		w.ours[name] = made.UID
	}
}

func (w *truth) remove() {
	name := w.name()
	if p := w.pods[name]; p != nil {
		w.untold = append(w.untold, told{known(p, w.next()), true})
		delete(w.pods, name)
		delete(w.ours, name)
	}
}

func (w *truth) tell() {
	if len(w.untold) == 0 {
		return
	}
	e := w.untold[0]
	w.untold, w.heard[e.pod.Name] = w.untold[1:], true
	if e.gone {
		w.f.DeletePod(e.pod)
	} else {
		w.f.ApplyPod(e.pod, t0)
	}
}

// list tells all of it at once.
func (w *truth) list() {
	var list []*Pod
	for _, p := range w.pods {
		list = append(list, known(p, p.Version))
	}
	for name, c := range w.calls {
		w.heard[name] = w.heard[name] || c.made != nil || w.pods[name] != nil
	}
	w.f.ReplacePods(list, w.version, t0)
	w.untold = nil
}

// check: a create that nothing is heard of fills its place, and what an answer told of is known for as long as it is there.
func (w *truth) check(what string) {
	for name := range w.calls {
		if !w.heard[name] && w.f.Pod(types.NamespacedName{Namespace: "default", Name: name}) == nil {
			w.t.Fatalf("%s: the create of %s is under way, and nothing stands for it", what, name)
		}
	}
	for name, uid := range w.ours {
		if p := w.f.Pod(types.NamespacedName{Namespace: "default", Name: name}); p == nil || p.UID != uid {
			w.t.Fatalf("%s: %s was answered for with %s and is there; known is %+v", what, name, uid, p)
		}
	}
}

// Creates, deletes, late news, late answers and fresh lists, in any order: nothing is forgotten meanwhile, and when all has been told, what is
// known is what there is.
func TestWhatWasToldIsKnown(t *testing.T) {
	for range 50 { // a check takes microseconds, and some orders are rare
		rapid.Check(t, whatWasToldIsKnown)
	}
}

func whatWasToldIsKnown(t *rapid.T) {
	w := &truth{t: t, f: newFleet(), pods: map[string]*Pod{}, calls: map[string]*call{}, heard: map[string]bool{}, ours: map[string]types.UID{}}
	for range rapid.IntRange(10, 100).Draw(t, "steps") {
		step := rapid.SampledFrom([]string{"create", "another", "arrive", "answer", "remove", "tell", "tell", "list"}).Draw(t, "step")
		switch step {
		case "create":
			w.create()
		case "another":
			w.make(w.name())
		case "arrive":
			w.arrive(w.name())
		case "answer":
			w.answer(w.name())
		case "remove":
			w.remove()
		case "tell":
			w.tell()
		case "list":
			w.list()
		}
		w.check(step)
	}
	w.answer("a")
	w.answer("b")
	for len(w.untold) > 0 {
		w.tell()
	}
	for _, name := range []string{"a", "b"} {
		p, want := w.f.Pod(types.NamespacedName{Namespace: "default", Name: name}), w.pods[name]
		switch {
		case want == nil && p != nil:
			t.Fatalf("%s is gone, and known is %+v", name, p)
		case want != nil && (p == nil || p.UID != want.UID || p.Creating):
			t.Fatalf("%s is there as %s, and known is %+v", name, want.UID, p)
		}
	}
}
