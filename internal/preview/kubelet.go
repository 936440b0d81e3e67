package preview

import (
	"time"

	"github.com/everynode/everynode/internal/fleet"
)

// Kubelets models what nodes do with Pods. All times are guesses for what is to come.
type Kubelets struct {
	// Ready is how long a new Pod of that DaemonSet takes from its creation to Ready; End is how long one takes to end.
	Ready map[string]time.Duration
	End   time.Duration
	// Slow are nodes on which Pods take this long to become Ready instead.
	Slow map[string]time.Duration
	// Fail are nodes whose kubelet falls silent, by the time from the start.
	Fail map[string]time.Duration
}

// Unnoticed is how long the control plane takes a silent node for a Ready one, by default.
const Unnoticed = 50 * time.Second

func (k *Kubelets) ready(daemon, node string) time.Duration {
	if d, ok := k.Slow[node]; ok {
		return d
	}
	return k.Ready[daemon]
}

// silent tells whether the node's kubelet does nothing at that time from the start.
func (k *Kubelets) silent(n *fleet.Node, since time.Duration) bool {
	if n == nil || !n.Ready {
		return true
	}
	at, fails := k.Fail[n.Name]
	return fails && since >= at
}

// start gives the Pods that are there at the beginning their next event. A Pod that is not Ready although it had three
// times as long as others take is taken for one that never will be.
func (p *Player) start() {
	for _, d := range p.daemons() {
		ready := p.Kubelets.Ready[d.Key.String()]
		for pod := range d.EachPod {
			switch {
			case pod.Leaving():
				p.end(pod)
			case pod.Terminal() || pod.Ready:
			case p.begin.Sub(pod.Created.Time()) < 3*ready+time.Minute:
				p.comeReady(d, pod, max(0, ready-p.begin.Sub(pod.Created.Time())))
			}
		}
	}
	for node, after := range p.Kubelets.Fail {
		p.at(after+Unnoticed, func() { p.noticed(node) })
	}
}

// comeReady has a Pod become Ready after a while, if its kubelet is still at work then.
func (p *Player) comeReady(d *fleet.Daemon, pod *fleet.Pod, after time.Duration) {
	key, uid := pod.Key(), pod.UID
	p.at(p.since()+after, func() {
		q := p.Fleet.Pod(key)
		if q == nil || q.UID != uid || q.Terminating || p.silentOn(q.Node()) {
			return
		}
		next := *q
		next.Ready, next.ReadyStamp, next.Phase = true, fleet.StampOf(p.now), fleet.PhaseRunning
		p.apply(&next)
		p.tell(d, PodReady, q.Node(), fleet.Reason{})
	})
}

// end has a Pod that is being deleted disappear, if its kubelet is still at work then.
func (p *Player) end(pod *fleet.Pod) {
	after := p.Kubelets.End
	if !pod.Bound || pod.Terminal() {
		after = 0
	}
	key, uid := pod.Key(), pod.UID
	p.at(p.since()+after, func() {
		q := p.Fleet.Pod(key)
		if q == nil || q.UID != uid || (q.Bound && p.silentOn(q.On)) {
			return
		}
		p.Fleet.DeletePod(q)
	})
}

// noticed is when the control plane gives a silent node up: it and its Pods are no longer Ready.
func (p *Player) noticed(node string) {
	n := p.Fleet.Node(node)
	if n == nil {
		return
	}
	next := *n
	next.Ready, next.Version = false, p.version()
	p.Fleet.ApplyNode(&next, p.now)
	for _, d := range p.daemons() {
		s := d.Slot(node)
		if s == nil {
			continue
		}
		for _, pod := range append([]*fleet.Pod(nil), s.Pods...) {
			if pod.Ready {
				q := *pod
				q.Ready = false
				p.apply(&q)
			}
		}
		p.tell(d, NodeSilent, node, fleet.Reason{})
	}
}

func (p *Player) silentOn(node string) bool {
	return p.Kubelets.silent(p.Fleet.Node(node), p.since())
}
