package explore

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/revision"
)

// now is the moment at which everything happens.
var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

var setKey = types.NamespacedName{Namespace: "system", Name: "d"}

const templates = 3

// facts turns the small world into objects, for the real fleet and planner.
type facts struct {
	sets      [templates]*appsv1.DaemonSet
	revisions [templates][]*appsv1.ControllerRevision
	hashes    [2]string
	judges    [2]fleet.Judge
	protos    map[factKey]fleet.Pod
	names     [maxNodes]map[name]string
	saltOf    [maxNodes]map[string]name
	odd       []string // names that plan does not derive
}

type factKey struct {
	node int
	pod  pod
}

func newFacts(c *Scope) (*facts, error) {
	f := &facts{protos: map[factKey]fleet.Pod{}}
	var history []*appsv1.ControllerRevision
	for t := range templates {
		ds := newSet(c, t)
		f.sets[t] = ds
		if t < 2 {
			r, err := revision.New(ds, int64(t+1))
			if err != nil {
				return nil, err
			}
			r.UID, r.ResourceVersion = types.UID(fmt.Sprintf("revision-%d", t)), fmt.Sprint(t+1)
			f.hashes[t], f.judges[t] = revision.HashOf(r), match.New(ds)
			history = append(history, r)
		} else { // the way back: the first revision is the newest now
			r := history[0].DeepCopy()
			r.Revision = int64(t + 1)
			history = []*appsv1.ControllerRevision{history[1], r}
		}
		f.revisions[t] = history[:len(history):len(history)]
	}
	for i := range f.names {
		f.names[i], f.saltOf[i] = map[name]string{}, map[string]name{}
	}
	return f, nil
}

func newSet(c *Scope, template int) *appsv1.DaemonSet {
	labels := map[string]string{"app": setKey.Name}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: setKey.Name, Namespace: setKey.Namespace, UID: "set", Generation: int64(template + 1),
			ResourceVersion: fmt.Sprint(template + 1), CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)),
		},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "image:" + string('a'+rune(revOf(uint8(template))))}}},
			},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType},
		},
	}
	if !c.OnDelete {
		unavailable, surge := intstr.FromInt32(int32(c.MaxUnavailable)), intstr.FromInt32(int32(c.MaxSurge))
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{
			Type:          appsv1.RollingUpdateDaemonSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &unavailable, MaxSurge: &surge},
		}
	}
	return ds
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i) }

func uidOf(node int, uid uint8) types.UID {
	return types.UID(fmt.Sprintf("%s-uid%d", nodeName(node), uid))
}

// nameOf is the Pod name that plan derives on that node where Pods with those UIDs hold the names that come first.
func (f *facts) nameOf(node int, n name) string {
	if s, ok := f.names[node][n]; ok {
		return s
	}
	d, slot := &fleet.Daemon{Key: setKey, UID: f.sets[0].UID}, &fleet.Slot{NodeName: nodeName(node)}
	s := plan.Name(d, slot)
	if n[0] >= odd {
		s = fmt.Sprintf("%s-odd-%d", nodeName(node), n[0]-odd) // as good as the planner's: names are only ever compared
	} else {
		for _, uid := range n {
			if uid != 0 {
				slot.Pods = append(slot.Pods, &fleet.Pod{Name: s, UID: uidOf(node, uid)})
				s = plan.Name(d, slot)
			}
		}
	}
	f.names[node][n], f.saltOf[node][s] = s, n
	return s
}

// nameFor finds the salt of a name that a plan has chosen, or numbers the name.
func (f *facts) nameFor(node int, text string, v *view) name {
	var n name
	for i := range n {
		f.nameOf(node, n)
		h := holder(v.pods[:], n)
		if h < 0 {
			break
		}
		n[i] = v.pods[h].uid
	}
	f.nameOf(node, n)
	if known, ok := f.saltOf[node][text]; ok {
		return known
	}
	return f.number(text)
}

// number gives an odd name its number, which is the same on every node.
func (f *facts) number(text string) name {
	i := slices.Index(f.odd, text)
	if i < 0 {
		i, f.odd = len(f.odd), append(f.odd, text)
	}
	if odd+i > 0xFF {
		panic("explore: the planner gives too many names that it does not derive")
	}
	return name{odd + uint8(i)}
}

// version orders what is known of one Pod, and of Pods that have had one name after another.
func (p pod) version() fleet.Version { return fleet.Version(p.uid)*16 + fleet.Version(p.phase) }

// fact is the Pod as a watch or an answer tells of it.
func (f *facts) fact(node int, p pod) *fleet.Pod {
	k := factKey{node, p.bare()}
	proto, ok := f.protos[k]
	if !ok {
		o := plan.NewPod(f.sets[p.rev], f.hashes[p.rev], nodeName(node), f.nameOf(node, p.name), plan.Direct)
		o.UID, o.CreationTimestamp = uidOf(node, p.uid), metav1.NewTime(now.Add(time.Duration(p.uid)*time.Second-time.Minute))
		o.Status = statusOf(p.phase)
		if p.phase >= ending {
			o.DeletionTimestamp = &metav1.Time{Time: now}
		}
		proto = *fleet.NewPod(o, p.version(), nodeName(node))
		f.protos[k] = proto
	}
	return &proto
}

func statusOf(p phase) corev1.PodStatus {
	s := corev1.PodStatus{Phase: corev1.PodRunning}
	switch p {
	case pending:
		s.Phase = corev1.PodPending
	case failed, ended:
		s.Phase = corev1.PodFailed
	case ready, again:
		s.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now)}}
	}
	return s
}

// known builds a fleet that knows what the views of these nodes say. The order of the facts can be turned round.
func (f *facts) known(template uint8, views []view, backwards bool) *fleet.Fleet {
	fl := fleet.New(func(ds *appsv1.DaemonSet) fleet.Judge { return f.judges[revOf(uint8(ds.Generation-1))] })
	set := func() { fl.ApplyDaemon(f.sets[template], fleet.Version(template)+1, false, now) }
	if !backwards {
		set()
	}
	for i := range views {
		if backwards {
			i = len(views) - 1 - i
		}
		v := &views[i]
		if v.up {
			fl.ApplyNode(&fleet.Node{Name: nodeName(i), UID: types.UID(nodeName(i)), Version: 1}, now)
		}
		for j := range v.pods {
			if backwards {
				j = len(v.pods) - 1 - j
			}
			if p := v.pods[j]; p.phase != 0 {
				f.enter(fl, template, i, p)
			}
		}
	}
	if backwards {
		set()
	}
	for i, v := range views {
		d := fl.Daemon(setKey)
		if slot := d.Slot(nodeName(i)); slot != nil && v.aged {
			slot.Note(func(t *fleet.Trouble) { t.GoneSince = now.Add(-plan.Quarantine) })
		}
		if v.unsure {
			d.CreateSent(nodeName(i))
			d.CreateAnswered(nodeName(i), f.nameOf(i, v.unsureName), now.Add(time.Minute), now)
		}
		for range v.asked {
			d.CreateSent(nodeName(i))
		}
	}
	for _, r := range f.revisions[template] {
		fl.ApplyRevision(r, 1)
	}
	fl.Daemon(setKey).Approved = f.hashes[revOf(template)] // no dry run is modelled
	return fl
}

func (f *facts) enter(fl *fleet.Fleet, template uint8, node int, p pod) {
	if p.creating {
		fl.Creating(f.pendingPod(template, node, p), now)
		return
	}
	q := f.fact(node, p)
	fl.ApplyAnswer(q, now) // leaves open how much the watch has told
	fl.MarkDeleting(q, p.deleting)
}

// pendingPod stands in for a Pod whose create call is in flight.
func (f *facts) pendingPod(template uint8, node int, p pod) *fleet.Pod {
	d := &fleet.Daemon{Key: setKey, UID: f.sets[template].UID, Object: f.sets[p.rev]}
	return plan.Pending(d, f.hashes[p.rev], nodeName(node), f.nameOf(node, p.name), plan.Direct)
}
