package oracle

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
)

// trial is one scene before both sides. What upstream has said about an edited scene is kept, as most differences edit nothing.
type trial struct {
	u     *upstream
	s     *scene
	w     *world
	o     *ours
	asked map[string]*theirs
}

// compare asks both sides. It gives the disagreement that no numbered difference explains, or else the numbers that did.
func (u *upstream) compare(s *scene) (*ours, string, []int) {
	t := &trial{u: u, s: s, w: s.world(), asked: map[string]*theirs{}}
	if err := t.decide(); err != nil {
		return nil, "ours: " + err.Error(), nil
	}
	if s.deleting {
		return t.o, u.untouched(s, t.o, t.w.ds.Status), nil
	}
	first, why := t.under(permit{})
	if first != nil && (!maps.Equal(t.o.adopted, first.adopted) || !maps.Equal(t.o.released, first.released)) {
		return t.o, fmt.Sprintf("adopt and release: ours %v %v, upstream's %v %v", t.o.adopted, t.o.released, first.adopted, first.released), nil
	}
	if why := t.o.hasty(s); why != "" {
		return t.o, why, nil
	}
	if why == "" {
		return t.o, "", nil
	}
	all := permit{}
	for _, d := range differences {
		all[d.number] = true
	}
	if _, why := t.under(all); why != "" {
		return t.o, why, nil
	}
	return t.o, "", t.needed(all)
}

// decide asks our side; if the scene's status is already as we would have it, a second time with that status.
func (t *trial) decide() (err error) {
	if t.o, err = decide(t.s, t.w); err == nil && t.s.known {
		t.w.ds.Status = t.o.status
		t.o, err = decide(t.s, t.w)
	}
	return err
}

// under asks upstream about the scene as the permitted differences would have it.
func (t *trial) under(permit permit) (*theirs, string) {
	edited, edits := t.s.clone(), []int{}
	for _, d := range differences {
		if permit[d.number] && d.edit != nil && d.edit(edited) {
			edits = append(edits, d.number)
		}
	}
	key := fmt.Sprint(edits)
	th := t.asked[key]
	if th == nil {
		var err error
		if th, err = t.u.ask(edited, t.w.ds.Status); err != nil {
			return nil, "upstream: " + err.Error()
		}
		t.asked[key] = th
	}
	for _, why := range []string{disagreement(t.s, t.o, th, permit), writes(t.w.ds.Status, t.o, th), podsMade(t.w, t.o, th)} {
		if why != "" {
			return th, why
		}
	}
	return th, ""
}

// needed are the numbers without which the others do not explain the disagreement; if each can be spared, all.
func (t *trial) needed(all permit) []int {
	var out []int
	for _, d := range differences {
		without := maps.Clone(all)
		delete(without, d.number)
		if _, why := t.under(without); why != "" {
			out = append(out, d.number)
		}
	}
	if len(out) == 0 {
		return slices.Sorted(maps.Keys(all))
	}
	return out
}

// untouched: a DaemonSet that is being deleted is left to the garbage collector by both (U065).
func (u *upstream) untouched(s *scene, o *ours, status appsv1.DaemonSetStatus) string {
	th, err := u.ask(s, status)
	if err != nil {
		return "upstream: " + err.Error()
	}
	if n := len(o.plan.Actions) + len(th.manage.answer()) + len(th.rollout.answer()) + len(th.adopted) + len(th.released); n > 0 || th.wrote {
		return "something is done for a DaemonSet that is being deleted"
	}
	return ""
}
