package preview

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
)

// Kind is what applying does to a DaemonSet.
type Kind string

// The kinds of previews.
const (
	// Create: there is no such DaemonSet yet.
	Create Kind = "create"
	// Update: it changes.
	Update Kind = "update"
	// None: it stays as it is.
	None Kind = "none"
)

// Preview is what would come of one DaemonSet.
type Preview struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Kind      Kind     `json:"kind"`
	Changes   []Change `json:"changes"`
	// To is the revision hash of the Pods that will be made, and From that of most others.
	From      string    `json:"fromRevision,omitempty"`
	To        string    `json:"toRevision,omitempty"`
	Nodes     Nodes     `json:"nodes"`
	Rollout   Rollout   `json:"rollout"`
	Holds     []Note    `json:"holds"`
	NoFit     []Note    `json:"doesNotFit"`
	Resources Cost      `json:"resources"`
	Warnings  []Warning `json:"warnings"`
	// Timeline is the play from which all of this was read.
	Timeline []Moment `json:"timeline,omitempty"`
}

// Key is the DaemonSet's name.
func (p *Preview) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}

// Note is a node with a reason.
type Note struct {
	Node   string     `json:"node"`
	Code   fleet.Code `json:"code"`
	Detail string     `json:"detail,omitempty"`
}

// Options say how to preview.
type Options struct {
	Now       time.Time
	Placement plan.Placement
	// Slow and Fail change the model of kubelets; see Kubelets.
	Slow, Fail map[string]time.Duration
	// Quotas are those of the DaemonSets' namespaces, as far as they are known.
	Quotas []*corev1.ResourceQuota
	// Work bounds how many slots are looked at; 0 is no bound.
	Work int
}

// Compute previews DaemonSets as they would be applied, all together. The fleet is the preview's own and is changed.
// Those that are equal to what the fleet holds are previewed as they are: what would be done anyway is shown.
func Compute(f *fleet.Fleet, applied []*appsv1.DaemonSet, o Options) ([]Preview, error) {
	p := &Player{Fleet: f, Placement: o.Placement, Work: o.Work, Kubelets: Kubelets{Ready: map[string]time.Duration{}, End: assumedEnd, Slow: o.Slow, Fail: o.Fail}}
	if err := nodesExist(f, o.Slow, o.Fail); err != nil {
		return nil, err
	}
	seen := map[types.NamespacedName]bool{}
	var drafts []*draft
	for _, ds := range applied {
		key := types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}
		if seen[key] {
			return nil, fmt.Errorf("DaemonSet %s occurs twice: which of the two is meant cannot be told; remove one", key)
		}
		seen[key] = true
		d, err := newDraft(f, ds)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
		p.Only = append(p.Only, key)
		p.Kubelets.Ready[key.String()] = d.basis.Ready.Duration
	}
	for _, d := range drafts {
		if d.Kind != None {
			p.Change(d.after, o.Now)
		}
	}
	out, err := p.Play(o.Now)
	if err != nil {
		return nil, err
	}
	previews := make([]Preview, 0, len(drafts))
	for _, d := range drafts {
		d.finish(f.Daemon(d.Key()), out)
		d.warn(f, f.Daemon(d.Key()))
		d.quotas(o.Quotas)
		previews = append(previews, d.Preview)
	}
	return previews, nil
}

func nodesExist(f *fleet.Fleet, maps ...map[string]time.Duration) error {
	for _, m := range maps {
		for node := range m {
			if f.Node(node) == nil {
				return fmt.Errorf("node %q does not exist in this cluster: it can be neither slow nor fail; see: kubectl get nodes", node)
			}
		}
	}
	return nil
}

// draft is a Preview in the making.
type draft struct {
	Preview
	before, after *appsv1.DaemonSet
	basis         Basis
	// had are the nodes with a live Pod, with its revision; was are the verdicts before.
	had    map[string]string
	was    map[string]fleet.Verdict
	oldReq fleet.Resources
	lost   []Note // by the template alone, also where the rollout halts before
}

func newDraft(f *fleet.Fleet, ds *appsv1.DaemonSet) (*draft, error) {
	d := &draft{
		Preview: Preview{Namespace: ds.Namespace, Name: ds.Name, Kind: Create, Changes: []Change{}, Holds: []Note{}, NoFit: []Note{}},
		after:   ds, had: map[string]string{}, was: map[string]fleet.Verdict{},
	}
	old := f.Daemon(d.Key())
	if old != nil {
		d.before, d.Kind, d.oldReq = old.Object, Update, old.Requests
	}
	changes, err := Difference(d.before, ds)
	if err != nil {
		return nil, err
	}
	switch {
	case old == nil: // all of it is new, and the manifest tells it better
	case len(changes) == 0 && !TemplateChanged(d.before, ds):
		d.Kind = None
	default:
		d.Changes = changes
	}
	if old != nil {
		d.remember(old)
	}
	d.basis = basisOf(f, old)
	return d, nil
}

// remember notes what is before the change.
func (d *draft) remember(old *fleet.Daemon) {
	for _, s := range old.Slots() {
		if s.Node == nil {
			continue
		}
		d.was[s.NodeName] = s.Verdict
		for _, pod := range s.Pods {
			if !pod.Terminal() && !pod.Leaving() {
				d.had[s.NodeName] = pod.Hash()
				break
			}
		}
	}
}
