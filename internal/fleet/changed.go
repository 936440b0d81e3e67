package fleet

import (
	"slices"
	"strings"
)

// Changed takes the slots about which something changed since the last time, ordered by node name, so that a decision need not
// look at all of them. A slot that the Daemon no longer has may be among them.
func (d *Daemon) Changed() []*Slot {
	out := d.changed
	d.changed = nil
	for _, s := range out {
		s.marked = false
	}
	slices.SortFunc(out, func(a, b *Slot) int { return strings.Compare(a.NodeName, b.NodeName) })
	return out
}

// mark notes that something changed about a slot, which may be nil.
func (d *Daemon) mark(s *Slot) {
	if s != nil && !s.marked {
		s.marked = true
		d.changed = append(d.changed, s)
	}
}

// nameTaken marks the slots whose next Pod has a name in doubt, which another Pod's coming or going may change.
func (d *Daemon) nameTaken() {
	for node, c := range d.creates {
		if c.Unsure != "" {
			d.mark(d.slots[node])
		}
	}
}

// PodKind is what a DaemonSet's own Pods are counted by.
type PodKind struct {
	// Hash and Generation are the labels controller-revision-hash and pod-template-generation, or empty.
	Hash, Generation string
	// Older Pods were made before the DaemonSet: they have been adopted.
	Older bool
	// Creating Pods may not come to exist.
	Creating bool
}

// EachKind calls yield for every kind of Pods that the DaemonSet has, astray ones included, in no order.
func (d *Daemon) EachKind(yield func(PodKind) bool) {
	for k := range d.kinds {
		if !yield(k) {
			return
		}
	}
}

func (d *Daemon) count(p *Pod, by int) {
	k := PodKind{
		Hash: p.Hash(), Generation: p.Labels[TemplateGenerationLabel],
		Older: p.Created.Time().Before(d.Object.CreationTimestamp.Time), Creating: p.Creating,
	}
	if d.kinds[k] += by; d.kinds[k] == 0 {
		delete(d.kinds, k)
	}
}

// OrphansOn calls yield for the orphans on one node that the DaemonSet's selector matches.
func (d *Daemon) OrphansOn(node string, yield func(*Pod)) {
	for p := range d.orphansOn[node] {
		yield(p)
	}
}

func (d *Daemon) addOrphan(p *Pod) {
	i, found := slices.BinarySearchFunc(d.orphans, p, ComparePods)
	if !found {
		d.orphans = slices.Insert(d.orphans, i, p)
		add(d.orphansOn, p.On, p)
	}
}

func (d *Daemon) dropOrphan(p *Pod) {
	if i, found := slices.BinarySearchFunc(d.orphans, p, ComparePods); found {
		d.orphans = slices.Delete(d.orphans, i, i+1)
		remove(d.orphansOn, p.On, p)
	}
}
