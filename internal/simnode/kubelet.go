package simnode

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// kubelet is one simulated kubelet. It does no input or output and reads no clock: the shell tells it what it sees,
// asks for steps, carries them out and tells it what came of them.
type kubelet struct {
	name  string
	node  *corev1.Node // nil while there is no such Node: the kubelet is dead
	knobs knobs
	host  host
	beat  beat
	pods  map[types.UID]*member

	timing timing
}

// timing is how long things take.
type timing struct {
	start, stop time.Duration // from admission to running, from deletion to the end
	status      time.Duration // between heartbeats of an unchanged node status
}

// member is what a kubelet remembers of one Pod beyond the object. None of it is needed after a restart.
type member struct {
	pod      *corev1.Pod
	faults   faults
	problems []problem // annotations that could not be read, not yet reported
	since    time.Time // when the present stage began
	deleted  time.Time // when the kubelet, at work, first saw it deleted
	preempt  bool      // it must make room for a critical Pod
	checked  bool      // a refusal was confirmed on a fresh read of the Node
	gone     bool      // the final delete was accepted; only a finalizer keeps the object
	due      time.Time // when to look again; zero: when something happens
	failures int       // writes that failed in a row
}

// atWork tells whether the kubelet does anything at all.
func (k *kubelet) atWork() bool { return k.node != nil && k.knobs.simulated && !k.knobs.stopped }

// setNode tells the kubelet what its Node looks like now; nil when it is gone.
func (k *kubelet) setNode(node *corev1.Node, now time.Time) []problem {
	if node != nil && k.node != nil && node.UID == k.node.UID && stale(node, k.node) {
		return nil
	}
	worked, uid := k.atWork(), types.UID("")
	if k.node != nil {
		uid = k.node.UID
	}
	if k.node = node; node == nil {
		k.beat = beat{}
		return nil
	}
	before := k.knobs
	var problems []problem
	k.knobs, problems = readKnobs(node.Annotations)
	reborn := uid != node.UID
	if reborn {
		k.beat = beat{}
	}
	if k.atWork() && (reborn || !worked) {
		for _, m := range k.pods {
			m.due, m.deleted = now, time.Time{}
		}
		k.beat.urgent = true
	}
	k.beat.status = now
	if before.pressure != k.knobs.pressure || before.notReady != k.knobs.notReady {
		k.beat.urgent = true
	}
	return problems
}

// see tells the kubelet what one of its Pods looks like now.
func (k *kubelet) see(pod *corev1.Pod, now time.Time) {
	m, known := k.pods[pod.UID]
	switch {
	case !known:
		m = &member{since: k.stageStart(pod, now)}
		k.pods[pod.UID] = m
	case stale(pod, m.pod):
		return
	case stageOf(pod) != stageOf(m.pod):
		m.since = now
	}
	m.pod, m.due = pod, now
	var problems []problem
	m.faults, problems = readFaults(pod.Annotations, k.name)
	if !known {
		m.problems = problems
	}
}

// forget tells the kubelet that the Pod is no more.
func (k *kubelet) forget(uid types.UID) { delete(k.pods, uid) }

// stale tells whether a shows nothing that b does not: the same version of the object or an earlier one. Versions that
// cannot be compared count as newer.
func stale(a, b metav1.Object) bool {
	c, err := resourceversion.CompareResourceVersion(a.GetResourceVersion(), b.GetResourceVersion())
	return err == nil && c <= 0
}

// due lists the Pods to look at now, oldest first, as a kubelet admits them.
func (k *kubelet) due(now time.Time) []*member {
	var list []*member
	for _, m := range k.pods {
		if !m.due.IsZero() && !m.due.After(now) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *member) int { return byAge(a.pod, b.pod) })
	return list
}

// next is when to look at any Pod or at the Node again; ok is false when only an event can change anything.
func (k *kubelet) next() (next time.Time, ok bool) {
	if !k.atWork() {
		return next, false
	}
	next = k.beat.status
	for _, m := range k.pods {
		if !m.due.IsZero() && m.due.Before(next) {
			next = m.due
		}
	}
	return next, true
}

// running lists the Pods that take up room, but for one.
func (k *kubelet) running(but *member) []*corev1.Pod {
	var list []*corev1.Pod
	for _, m := range k.pods {
		if m != but && m.pod.Status.StartTime != nil && !isTerminal(m.pod) && !m.preempt && !m.gone {
			list = append(list, m.pod)
		}
	}
	slices.SortFunc(list, byAge)
	return list
}

func byAge(a, b *corev1.Pod) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// stamp is the time that the kubelet's own clock shows, as the API keeps it: in seconds.
func (k *kubelet) stamp(now time.Time) metav1.Time {
	return metav1.NewTime(now.Add(k.knobs.skew).Truncate(time.Second))
}

// jitter spreads a delay over 50–150 %, always the same way for the same Pod.
func jitter(d time.Duration, key string) time.Duration {
	return d/2 + time.Duration(float64(d)*fraction(key))
}

// fraction maps a key to [0,1), evenly and always the same way.
func fraction(key string) float64 {
	h := fnv.New64a()
	h.Write([]byte(key))
	x := h.Sum64()
	x ^= x >> 33 // FNV alone leaves the high bits of like keys alike
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}
