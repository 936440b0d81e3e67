package live

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
)

// Apply puts a State into another Fleet that was made from the same API objects. It tells whether it fits: a DaemonSet
// that was replaced meanwhile is left alone.
func (s *State) Apply(f *fleet.Fleet, now time.Time) bool {
	d := f.Daemon(s.Key())
	if d == nil || d.UID != s.UID {
		return false
	}
	d.Approved = s.Approved
	if s.Held != nil {
		d.Stalled, d.StalledWhy = s.Held.fact(), fleet.Reason{Code: s.Held.Code, Detail: s.Held.Text}
	}
	for i := range s.Nodes {
		s.Nodes[i].apply(f, d, now)
	}
	return true
}

func (b *Backoff) fact() fleet.Backoff {
	return fleet.Backoff{Until: b.Until, Delay: time.Duration(b.Seconds * float64(time.Second)), Epoch: b.Epoch}
}

func (n *Node) apply(f *fleet.Fleet, d *fleet.Daemon, now time.Time) {
	if n.Unsure != "" && n.Till != nil {
		d.CreateSent(n.Name)
		d.CreateAnswered(n.Name, n.Unsure, *n.Till, now)
	}
	for range n.Creates {
		d.CreateSent(n.Name)
	}
	slot := d.Slot(n.Name)
	if slot == nil {
		return // the node and its Pods went while both were read
	}
	slot.Note(func(t *fleet.Trouble) {
		if n.Failures != nil {
			t.Failures = n.Failures.fact()
		}
		if n.Refused != nil {
			t.Refusals, t.Refused = n.Refused.fact(), n.Refused.Text
		}
		t.Taken = n.Taken
		if n.GoneSince != nil && slot.Node == nil {
			t.GoneSince = *n.GoneSince
		}
	})
	for _, p := range n.Pods {
		p.apply(f, d)
	}
}

func (p *Pod) apply(f *fleet.Fleet, d *fleet.Daemon) {
	pod := f.Pod(types.NamespacedName{Namespace: d.Key.Namespace, Name: p.Name})
	if pod == nil || pod.Owner != d.UID {
		return
	}
	switch p.Call {
	case Deleting:
		f.MarkDeleting(pod, true)
	case Forcing:
		f.MarkDeleting(pod, true)
		f.MarkForced(pod, true)
	case Patching:
		f.MarkPatching(pod, true)
	}
	if p.ReadySince != nil && pod.Ready {
		pod.ReadySince = *p.ReadySince
	}
}
