package plan

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/revision"
)

// noneIsForgotten: a node that should have a Pod, where all that is left has ended and is on its way out, gets one now, unless it would not
// fit or a call is held back; a node where one lives gets no other, but beside an old one in a surge; and none comes beside an orphan.
func (k *keeping) noneIsForgotten(d *fleet.Daemon, p Plan) {
	if p.Hash == "" || p.Problem != nil {
		return
	}
	for _, a := range p.Actions {
		if pod := k.fleet.Pod(types.NamespacedName{Namespace: d.Key.Namespace, Name: a.Name}); a.Kind == Create && pod != nil && pod.Owner == d.UID && (pod.On == a.Node || !d.Matches(pod.Labels)) {
			k.t.Fatalf("%s: a Pod is made on %s under the name of one that is there, %s on %s", d.Key, a.Node, a.Name, pod.On)
		}
	}
	for _, s := range d.Slots() {
		create := slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Kind == Create && a.Node == s.NodeName })
		gone, live, orphan := true, 0, false
		for _, pod := range s.Pods {
			ended, leaves := pod.Phase == fleet.PhaseFailed || pod.Phase == fleet.PhaseSucceeded, pod.Terminating || pod.Deleting
			gone = gone && ended && leaves
			if !ended && !leaves {
				live++
			}
		}
		d.OrphansOn(s.NodeName, func(pod *fleet.Pod) { orphan = orphan || !pod.Terminal() || !pod.Leaving() })
		calls, trouble := d.Creates(s.NodeName), s.Trouble()
		held := calls.UnderWay > 0 || calls.Unsure != "" || trouble.Refusals.Waits(k.now, d.Object.Generation)
		full := slices.ContainsFunc(p.Waits, func(w Wait) bool {
			return w.Node == s.NodeName && (w.Reason.Code == fleet.NoRoom || w.Reason.Code == fleet.PortTaken)
		})
		if s.Verdict.ShouldRun() && gone && !orphan && !held && !full && !create {
			k.t.Fatalf("%s: %s is empty, and nothing is made there: %v", d.Key, s.NodeName, p.Waits)
		}
		if create && orphan {
			k.t.Fatalf("%s: a Pod is made on %s beside one that will be adopted, or ends", d.Key, s.NodeName)
		}
		if create && (live > 1 || live == 1 && p.Budget.MaxSurge == 0 || !s.Verdict.ShouldRun()) {
			k.t.Fatalf("%s: another Pod is made on %s, where %d live (%s)", d.Key, s.NodeName, live, s.Verdict.Reason)
		}
	}
}

// theNumbersStand: each node that exists counts once, by the first of its Pods that has not ended on its way out.
func (k *keeping) theNumbersStand(d *fleet.Daemon, p Plan) {
	if p.Problem != nil {
		return
	}
	var want Counts
	for _, s := range d.Slots() {
		stand := slices.DeleteFunc(slices.Clone(s.Pods), func(pod *fleet.Pod) bool {
			return pod.Creating || pod.Terminating && (pod.Phase == fleet.PhaseFailed || pod.Phase == fleet.PhaseSucceeded)
		})
		switch {
		case s.Node == nil:
		case !s.Verdict.ShouldRun():
			want.Misscheduled += int32(min(1, len(stand)))
		default:
			want.Desired++
			want.Current += int32(min(1, len(stand)))
			if len(stand) > 0 && stand[0].Ready {
				want.Ready++
			}
		}
	}
	got := p.Counts
	got.Available, got.Updated = 0, 0
	if got != want {
		k.t.Fatalf("%s: the numbers are %+v, want %+v", d.Key, got, want)
	}
}

// noneIsDroppedThatIsWorn: no revision is deleted that alone has the hash of one of the DaemonSet's Pods.
func (k *keeping) noneIsDroppedThatIsWorn(d *fleet.Daemon, p Plan) {
	holders := map[string]int{}
	for _, r := range k.fleet.Revisions(d) {
		holders[revision.HashOf(r)]++
	}
	for _, a := range p.Actions {
		if a.Kind != Revise || a.Revision.Kind != revision.Delete {
			continue
		}
		hash := revision.HashOf(a.Revision.Revision)
		for pod := range d.EachPod {
			if pod.Hash() == hash && holders[hash] == 1 {
				k.t.Fatalf("%s: %s is dropped, and %s belongs to it", d.Key, a.Revision.Revision.Name, pod.Name)
			}
		}
	}
}

// aRealOneStays: where Pods go as surplus, one stays that exists: a create that is not answered may come to nothing.
func (k *keeping) aRealOneStays(d *fleet.Daemon, p Plan) {
	goes := map[*fleet.Pod]bool{}
	for _, a := range p.Actions {
		if a.Kind == Delete {
			goes[a.Pod] = true
		}
	}
	for _, a := range p.Actions {
		if a.Kind != Delete || a.Reason.Code != fleet.PodSurplus {
			continue
		}
		stays := slices.ContainsFunc(d.Slot(a.Node).Pods, func(pod *fleet.Pod) bool {
			return !goes[pod] && !pod.Creating && !pod.Leaving() && !pod.Terminal()
		})
		if !stays {
			k.t.Fatalf("%s: %s goes as surplus (%s), and none that exists stays on %s", d.Key, a.Pod.Name, a.Reason, a.Node)
		}
	}
}
