package fleet

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
)

// change has something happen, and tells the Fleet: by a watch, or unseen and by a list; it gives that in words.
func (o *observer) change() string {
	what := oneOf(o.t, "what", "node", "pod", "pod", "pod", "daemon", "revision")
	how := oneOf(o.t, "how", "change", "change", "change", "remove", "list", "answer")
	switch what {
	case "node":
		o.changeNode(how)
	case "daemon":
		o.changeDaemon(how)
	case "pod":
		o.changePod(how)
	default:
		o.changeRevision(how)
	}
	return how + " of a " + what
}

func (o *observer) changeNode(how string) {
	switch name := oneOf(o.t, "of", "n1", "n2", "n3"); {
	case how == "list":
		o.node()
		delete(o.nodes, name)
		o.f.ReplaceNodes(slices.Collect(maps.Values(o.nodesNow())), o.next(), o.now)
	case how != "remove":
		n := *o.node()
		o.f.ApplyNode(&n, o.now)
	case o.nodes[name] != nil:
		delete(o.nodes, name)
		o.f.DeleteNode(name, o.next(), o.now)
	}
}

// nodesNow are copies, for a Fleet writes into what it is told.
func (o *observer) nodesNow() map[string]*Node {
	out := map[string]*Node{}
	for name, n := range o.nodes {
		c := *n
		out[name] = &c
	}
	return out
}

func (o *observer) changeDaemon(how string) {
	key := o.key("d1", "d2")
	switch {
	case how == "list":
		o.daemon()
		delete(o.daemons, key)
		var list []*appsv1.DaemonSet
		var versions []Version
		for _, ds := range o.daemons {
			var v Version
			if _, err := fmt.Sscan(ds.ResourceVersion, &v); err != nil {
				o.t.Fatal(err)
			}
			list, versions = append(list, ds), append(versions, v)
		}
		o.f.ReplaceDaemons(list, versions, o.next(), o.now)
	case how != "remove":
		o.f.ApplyDaemon(o.daemon(), o.version, false, o.now)
	case o.daemons[key] != nil:
		o.f.DeleteDaemon(key, o.daemons[key].UID)
		delete(o.daemons, key)
	}
}

func (o *observer) changePod(how string) {
	key := o.key("p1", "p2", "p3", "p4")
	switch {
	case how == "list":
		o.pod()
		delete(o.pods, key)
		var list []*Pod
		for _, p := range o.pods {
			list = append(list, known(p, p.Version))
		}
		o.f.ReplacePods(list, o.next(), o.now)
		o.witness(false)
	case how == "answer":
		o.f.ApplyAnswer(o.pod(), o.now)
		o.witness(false)
	case how != "remove":
		o.f.ApplyPod(o.pod(), o.now)
		o.witness(true)
	case o.pods[key] != nil:
		o.f.DeletePod(known(o.pods[key], o.next()))
		delete(o.pods, key)
	}
}

func (o *observer) changeRevision(how string) {
	key := o.key("r1", "r2", "r3")
	list := func() (objects []*appsv1.ControllerRevision, versions []Version) {
		for _, r := range o.revisions {
			objects, versions = append(objects, r.Object), append(versions, r.Version)
		}
		return objects, versions
	}
	switch {
	case how == "list":
		o.revision()
		delete(o.revisions, key)
		objects, versions := list()
		o.f.ReplaceRevisions(objects, versions, o.next())
	case how == "answer": // and then comes a list that was read before
		objects, versions := list()
		read := o.next()
		r := o.revision()
		o.f.AnswerRevision(r.Object, r.Version)
		o.f.ReplaceRevisions(objects, versions, read)
	case how != "remove":
		r := o.revision()
		o.f.ApplyRevision(r.Object, r.Version)
	case o.revisions[key] != nil:
		o.f.DeleteRevision(key, o.revisions[key].Object.UID, o.next())
		delete(o.revisions, key)
	}
}

// witness notes from when minReadySeconds count for Pods that are known to be Ready now: from now where the change was told of, else from
// now or, for one that nothing was known of, from what its kubelet says, and it may have been so for longer.
func (o *observer) witness(seen bool) {
	for _, p := range o.pods {
		was, known := o.since[p.UID]
		stamp := fmt.Sprint(" ", p.ReadyStamp)
		switch {
		case !p.Ready:
			o.since[p.UID] = "not ready"
		case known && was[max(0, len(was)-len(stamp)):] == stamp:
		case known:
			o.since[p.UID] = fmt.Sprint(o.now, " ", !seen, stamp)
		default:
			at := o.now
			if t := p.ReadyStamp.Time(); t.Before(at) {
				at = t
			}
			o.since[p.UID] = fmt.Sprint(at.UTC(), " ", true, stamp)
		}
	}
}

// clocks wants minReadySeconds to count from what was witnessed.
func (o *observer) clocks(what string) {
	for k, p := range o.pods {
		got := "not ready"
		if q := o.f.Pod(k); q.Ready {
			got = fmt.Sprint(q.ReadySince.UTC(), " ", q.ClockUnclear, " ", p.ReadyStamp)
		}
		if want := o.since[p.UID]; got != want {
			o.t.Fatalf("%s: %s is Ready since %s, want %s", what, k, got, want)
		}
	}
}
