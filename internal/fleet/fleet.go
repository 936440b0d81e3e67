package fleet

import (
	"cmp"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// NewJudge parses a DaemonSet's template once and gives its verdicts.
type NewJudge func(*appsv1.DaemonSet) Judge

// Fleet is the state of one cluster as the controller knows it. One goroutine owns it.
type Fleet struct {
	judge     NewJudge
	nodes     map[string]*Node
	daemons   map[types.NamespacedName]*Daemon
	byUID     map[types.UID]*Daemon
	pods      index
	byOwner   map[types.UID]herd
	orphans   map[string]map[*Pod]struct{} // by namespace
	homeless  map[string]crowd             // bound to a node that is not known, by its name
	revisions map[types.NamespacedName]*Revision
	history   map[types.UID]map[*Revision]struct{} // by owner
	unowned   map[string]map[*Revision]struct{}    // revisions of nobody, by namespace
	dirty     map[types.NamespacedName]struct{}
	// later are DaemonSets that got a copy of a revision: they are looked at again, but not at once.
	later map[types.UID]struct{}
	// podsSeen is the newest version that the Pod watch has delivered in order: an answer to an own create that is not
	// newer than this, and whose Pod is not here, tells of a Pod that is gone again.
	podsSeen Version
	// revisionsSeen is the same for ControllerRevisions.
	revisionsSeen Version
}

// New makes an empty Fleet.
func New(judge NewJudge) *Fleet {
	return &Fleet{
		judge: judge,
		nodes: map[string]*Node{}, daemons: map[types.NamespacedName]*Daemon{}, byUID: map[types.UID]*Daemon{},
		byOwner: map[types.UID]herd{},
		orphans: map[string]map[*Pod]struct{}{}, homeless: map[string]crowd{},
		history: map[types.UID]map[*Revision]struct{}{}, unowned: map[string]map[*Revision]struct{}{},
		revisions: map[types.NamespacedName]*Revision{}, dirty: map[types.NamespacedName]struct{}{}, later: map[types.UID]struct{}{},
	}
}

// Daemon is the DaemonSet of that name, or nil.
func (f *Fleet) Daemon(key types.NamespacedName) *Daemon { return f.daemons[key] }

// Node is the node of that name, or nil.
func (f *Fleet) Node(name string) *Node { return f.nodes[name] }

// Pod is the Pod of that name, or nil.
func (f *Fleet) Pod(key types.NamespacedName) *Pod {
	return f.pods.get(key.Namespace, key.Name)
}

// Sizes are the numbers of nodes, DaemonSets, Pods and revisions that are known.
func (f *Fleet) Sizes() (nodes, daemons, pods, revisions int) {
	return len(f.nodes), len(f.daemons), f.pods.size, len(f.revisions)
}

// Dirty takes the DaemonSets that may need another decision: highest priority first, then by name, so that network and
// storage daemons go ahead of the rest.
func (f *Fleet) Dirty() []*Daemon {
	out := make([]*Daemon, 0, len(f.dirty))
	for key := range f.dirty {
		if d := f.daemons[key]; d != nil {
			out = append(out, d)
		}
	}
	clear(f.dirty)
	slices.SortFunc(out, func(a, b *Daemon) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Key.Namespace, b.Key.Namespace), cmp.Compare(a.Key.Name, b.Key.Name))
	})
	return out
}

// Later takes the UIDs of DaemonSets that are to be looked at again after a while.
func (f *Fleet) Later() []types.UID {
	out := slices.Sorted(maps.Keys(f.later))
	clear(f.later)
	return out
}

// Touch makes a DaemonSet dirty, for a timer or an answered call. An unknown key is ignored.
func (f *Fleet) Touch(key types.NamespacedName) {
	if f.daemons[key] != nil {
		f.dirty[key] = struct{}{}
	}
}

// TouchSlot is Touch for what changed on one node.
func (f *Fleet) TouchSlot(d *Daemon, node string) {
	d.mark(d.slots[node])
	f.Touch(d.Key)
}

// TouchUID is Touch for the DaemonSet with that UID.
func (f *Fleet) TouchUID(uid types.UID) {
	if d := f.byUID[uid]; d != nil {
		f.Touch(d.Key)
	}
}

// Daemons are all DaemonSets, ordered by namespace and name.
func (f *Fleet) Daemons() []*Daemon {
	return slices.SortedFunc(maps.Values(f.daemons), func(a, b *Daemon) int {
		return cmp.Or(cmp.Compare(a.Key.Namespace, b.Key.Namespace), cmp.Compare(a.Key.Name, b.Key.Name))
	})
}

// Orphans are the Pods of the DaemonSet's namespace that nobody controls and that its selector matches, ordered as
// ComparePods has it. The list is the DaemonSet's own and must not be modified.
func (f *Fleet) Orphans(d *Daemon) []*Pod { return d.orphans }

// Wait notes that a slot waits for room on its node: a Pod of any owner that comes or leaves there, or another allocatable,
// has the slot looked at again.
func (f *Fleet) Wait(d *Daemon, node string) {
	if n, s := f.nodes[node], d.slots[node]; n != nil && s != nil {
		if n.waiters == nil {
			n.waiters = map[*Slot]*Daemon{}
		}
		n.waiters[s] = d
	}
}

func (f *Fleet) wake(n *Node) {
	for s, d := range n.waiters {
		d.mark(s)
		f.Touch(d.Key)
	}
	n.waiters = nil
}

func add[K comparable, V any](m map[K]map[*V]struct{}, k K, v *V) {
	set := m[k]
	if set == nil {
		set = map[*V]struct{}{}
		m[k] = set
	}
	set[v] = struct{}{}
}

func remove[K comparable, V any](m map[K]map[*V]struct{}, k K, v *V) {
	delete(m[k], v)
	if len(m[k]) == 0 {
		delete(m, k)
	}
}
