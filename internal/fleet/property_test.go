package fleet

import (
	"fmt"
	"slices"
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
	calls   map[string]*Pod // creates that are not answered, with the Pod that they made; nil if they made none
	// heard are the names of those of which the watch or a list has told more since.
	heard map[string]bool
	ours  map[string]types.UID
}

type told struct {
	pod  *Pod
	gone bool
}

func (w *truth) next() Version { w.version++; return w.version }

func (w *truth) name() string { return rapid.SampledFrom([]string{"a", "b"}).Draw(w.t, "name") }

func known(p *Pod, v Version) *Pod {
	out := *p
	out.Version = v
	return &out
}

// create begins a call of ours, which makes a Pod at once if the name is free; the answer comes later.
func (w *truth) create() {
	name := w.name()
	if _, busy := w.calls[name]; busy || w.f.Pod(types.NamespacedName{Namespace: "default", Name: name}) != nil {
		return
	}
	w.f.Creating(pod(name, "", "d", "n1", 0), t0)
	w.calls[name], w.heard[name] = nil, false
	if w.pods[name] != nil {
		return // somebody has the name
	}
	v := w.next()
	made := pod(name, fmt.Sprint("uid-", v), "d", "n1", v)
	w.pods[name], w.calls[name] = made, made
	w.untold = append(w.untold, told{known(made, v), false})
}

func (w *truth) answer(name string) {
	made := w.calls[name]
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
	for name, made := range w.calls {
		w.heard[name] = w.heard[name] || made != nil || w.pods[name] != nil
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
	rapid.Check(t, func(t *rapid.T) {
		w := &truth{t: t, f: newFleet(), pods: map[string]*Pod{}, calls: map[string]*Pod{}, heard: map[string]bool{}, ours: map[string]types.UID{}}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			step := rapid.SampledFrom([]string{"create", "answer", "remove", "tell", "tell", "list"}).Draw(t, "step")
			switch step {
			case "create":
				w.create()
			case "answer":
				if name := w.name(); slices.Contains(calling(w), name) {
					w.answer(name)
				}
			case "remove":
				w.remove()
			case "tell":
				w.tell()
			case "list":
				w.list()
			}
			w.check(step)
		}
		for len(w.untold) > 0 {
			w.tell()
		}
		for _, name := range calling(w) {
			w.answer(name)
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
	})
}

func calling(w *truth) (names []string) {
	for name := range w.calls {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
