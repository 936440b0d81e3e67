package model

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/feed"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// next draws an operation.
func (r *run) next() op {
	switch n := r.dice.IntN(100); {
	case n < 55:
		return r.podOp()
	case n < 80:
		return r.daemonOp()
	case n < 90:
		return r.revisionOp()
	case n < 99 || len(r.log) < perSequence/2 || r.closed || r.dice.IntN(2) == 0:
		return r.nodeOp()
	default:
		r.closed = true
		return op{text: "begin to delete the namespace", do: func(s *side) (metav1.Object, error) { return nil, s.Close(r.ctx) }}
	}
}

func (r *run) podOp() op {
	o := r.pods[r.dice.IntN(len(r.pods))]
	if (!r.there[o] && r.dice.IntN(4) > 0) || r.dice.IntN(12) == 0 {
		return r.createPod(o)
	}
	switch n := r.dice.IntN(20); {
	case n < 6:
		return r.deletePod(o)
	case n < 10:
		return r.patchPod(o)
	case n < 14:
		return update(r, o, "update", podChanges(r), func(s *side, p *corev1.Pod) (*corev1.Pod, error) { return s.UpdatePod(r.ctx, p) })
	case n < 18:
		return update(r, o, "update status of", podStatusChanges(r), func(s *side, p *corev1.Pod) (*corev1.Pod, error) {
			return s.UpdatePodStatus(r.ctx, s.scheduled(o, p))
		})
	default:
		return r.bindPod(o)
	}
}

// scheduled puts the condition PodScheduled, which only the real server has, into a status that was made before it was there.
func (s *side) scheduled(o slot, p *corev1.Pod) *corev1.Pod {
	is := func(c corev1.PodCondition) bool { return c.Type == corev1.PodScheduled }
	live, ok := s.last(o).(*corev1.Pod)
	if !ok {
		return p
	}
	p.Status.Conditions = slices.DeleteFunc(p.Status.Conditions, is)
	if i := slices.IndexFunc(live.Status.Conditions, is); i >= 0 {
		p.Status.Conditions = append(p.Status.Conditions, live.Status.Conditions[i])
	}
	return p
}

// createPod makes a Pod as the controller does, or one of many that it does not.
func (r *run) createPod(o slot) op {
	from, target := r.daemon(), r.node()
	placement := plan.Direct
	if r.dice.IntN(3) == 0 {
		placement = plan.Scheduler
	}
	seen := r.real.last(from) != nil
	what, dry, variant := "create", r.dice.IntN(6) == 0, r.dice.IntN(12)
	var opts metav1.CreateOptions
	if dry && variant == 2 {
		variant = 3 // a dry run gives the version back that it was given
	}
	if dry {
		what, opts.DryRun = "dry-run create", []string{metav1.DryRunAll}
	}
	on := o
	if variant == 0 {
		r.generated++
		on = slot{apimodel.Pods, fmt.Sprintf("generated%d", r.generated)}
		if dry {
			on.name = ""
		} else {
			r.pods = append(r.pods, on)
		}
	}
	names := []string{"without name", "with two controllers", "with a version", "with a finalizer", "with a grace of 5 s", "with a status and an old UID"}
	text := fmt.Sprintf("%s %s of %s on %s (%v)", what, o.name, from.name, target.name, placement)
	if variant < len(names) {
		text += " " + names[variant]
	}
	return op{text: text, on: on, do: func(s *side) (metav1.Object, error) {
		pod := plainPod(r.namespace, s.name(o))
		if placement == plan.Direct {
			pod.Spec.NodeName = target.name
		}
		if seen {
			pod = plan.NewPod(s.last(from).(*appsv1.DaemonSet), "hash", target.name, s.name(o), placement)
		}
		switch variant {
		case 0:
			pod.Name, pod.GenerateName = "", "some-"
		case 1:
			yes := true
			pod.OwnerReferences = append(pod.OwnerReferences, s.ref(from, true), metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: "n", UID: stranger, Controller: &yes})
		case 2:
			pod.ResourceVersion = "1"
		case 3:
			pod.Finalizers = append(pod.Finalizers, held)
		case 4:
			five := int64(5)
			pod.Spec.TerminationGracePeriodSeconds = &five
		case 5:
			pod.Status.Phase, pod.UID, pod.Generation = corev1.PodFailed, stranger, 9
			now := metav1.Now()
			pod.DeletionTimestamp = &now
		}
		return s.CreatePod(r.ctx, pod, opts)
	}}
}

func (r *run) deletePod(o slot) op {
	text, opts := r.deletion(o)
	return op{text: "delete " + o.name + text, on: o, do: func(s *side) (metav1.Object, error) {
		return nil, s.DeletePod(r.ctx, r.namespace, s.name(o), opts(s))
	}}
}

// deletion draws what a delete says.
func (r *run) deletion(o slot) (text string, opts func(s *side) metav1.DeleteOptions) {
	var grace *int64
	var policy *metav1.DeletionPropagation
	if r.dice.IntN(2) == 0 {
		g := []int64{0, 0, 0, 1, 5, 30, 600, -1}[r.dice.IntN(8)]
		if o.kind == apimodel.Pods {
			grace, text = &g, fmt.Sprintf(", grace %d", g)
		}
	}
	if r.dice.IntN(4) == 0 || (o.kind == apimodel.DaemonSets && r.dice.IntN(3) > 0) {
		p := []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan}[r.dice.IntN(3)]
		policy, text = &p, text+", "+string(p)
	}
	states := len(r.real.seen[o])
	pick, uid, version := 0, "", false
	if states > 0 {
		pick = states - 1
		if r.dice.IntN(4) == 0 {
			pick = r.dice.IntN(states)
		}
		uid = []string{"", "", "", "its", "its", "its", "its", "a stranger's"}[r.dice.IntN(8)]
		version = r.dice.IntN(3) == 0
		if uid != "" || version {
			text += fmt.Sprintf(", as of state %d of %d: uid %q, version %v", pick+1, states, uid, version)
		}
	}
	return text, func(s *side) metav1.DeleteOptions {
		d := metav1.DeleteOptions{GracePeriodSeconds: grace, PropagationPolicy: policy}
		if uid == "" && !version {
			return d
		}
		d.Preconditions = &metav1.Preconditions{}
		seen := s.seen[o][pick]
		if id := seen.GetUID(); uid == "its" {
			d.Preconditions.UID = &id
		} else if uid != "" {
			id = stranger
			d.Preconditions.UID = &id
		}
		if v := seen.GetResourceVersion(); version {
			d.Preconditions.ResourceVersion = &v
		}
		return d
	}
}

// patchPod sends a patch as internal/act writes it.
func (r *run) patchPod(o slot) op {
	from := r.daemon()
	kind := []plan.Kind{plan.Adopt, plan.Release, plan.Relabel}[r.dice.IntN(3)]
	states := len(r.real.seen[o])
	pick := states - 1
	if states > 0 && r.dice.IntN(4) == 0 {
		pick = r.dice.IntN(states)
	}
	strange := r.dice.IntN(5) == 0
	hash := fmt.Sprint("hash", r.dice.IntN(2))
	text := fmt.Sprintf("%v %s for %s, as of state %d of %d, stranger's %v, %s", kind, o.name, from.name, pick+1, states, strange, hash)
	return op{text: text, on: o, do: func(s *side) (metav1.Object, error) {
		pod := &fleet.Pod{Name: s.name(o), UID: stranger, Version: 1, Shape: &fleet.Shape{Namespace: r.namespace}}
		if pick >= 0 {
			state := s.seen[o][pick]
			if !strange {
				pod.UID = state.GetUID()
			}
			v, err := feed.ParseVersion(state.GetResourceVersion())
			if err != nil {
				return nil, err
			}
			pod.Version = v
		}
		ds := daemonSet(r.namespace, from.name)
		ds.UID = stranger
		if last := s.last(from); last != nil {
			ds = last.(*appsv1.DaemonSet)
		}
		how, body := written(r.ctx, ds, kind, pod, hash)
		return s.PatchPod(r.ctx, r.namespace, s.name(o), how, body)
	}}
}

func (r *run) bindPod(o slot) op {
	target, choice := r.node(), r.dice.IntN(5)
	names := []string{"with its UID", "with its UID", "with its UID", "without UID", "with a stranger's UID"}
	return op{text: fmt.Sprintf("bind %s to %s %s", o.name, target.name, names[choice]), on: o, do: func(s *side) (metav1.Object, error) {
		pod := plainPod(r.namespace, s.name(o))
		switch last := s.last(o); {
		case choice == 4:
			pod.UID = stranger
		case choice < 3 && last != nil:
			pod.UID = last.GetUID()
		}
		return nil, s.BindPod(r.ctx, pod, target.name)
	}}
}

// update draws a change of an object, made from one of its states, most often from the last.
func update[O interface {
	metav1.Object
	DeepCopy() O
}](r *run, o slot, verb string, changes []change[O], send func(s *side, o O) (O, error),
) op {
	c, pre := changes[r.dice.IntN(len(changes))], preconditions[O](r)
	states := len(r.real.seen[o])
	pick := states - 1
	if states > 0 && r.dice.IntN(4) == 0 {
		pick = r.dice.IntN(states)
	}
	text := fmt.Sprintf("%s %s, from state %d of %d: %s %s", verb, o.name, pick+1, states, c.text, pre.text)
	return op{text: text, on: o, do: func(s *side) (metav1.Object, error) {
		next := fresh(r.namespace, s, o).(O)
		if pick >= 0 {
			next = s.seen[o][pick].(O).DeepCopy()
			next.SetManagedFields(nil) // old ones would be written back; the controller sends none
			if p, ok := any(next).(*corev1.Pod); ok {
				p.Spec = *s.last(o).(*corev1.Pod).Spec.DeepCopy() // most of it may not change, which the model leaves out
			}
		}
		c.do(s, next)
		pre.do(s, next)
		return send(s, next)
	}}
}

// fresh is an object that never was.
func fresh(namespace string, s *side, o slot) metav1.Object {
	switch o.kind {
	case apimodel.Nodes:
		return node(o.name)
	case apimodel.Pods:
		return plainPod(namespace, s.name(o))
	case apimodel.DaemonSets:
		return daemonSet(namespace, o.name)
	default:
		return revision(namespace, o.name, 1)
	}
}

func (r *run) daemonOp() op {
	o := r.daemon()
	if (!r.there[o] && r.dice.IntN(4) > 0) || r.dice.IntN(12) == 0 {
		variant := r.dice.IntN(10)
		names := []string{"with a finalizer", "with labels that do not match", "with template generation 5", "with a template generation that is no number", "with a status"}
		text := "create " + o.name
		if variant < len(names) {
			text += " " + names[variant]
		}
		return op{text: text, on: o, do: func(s *side) (metav1.Object, error) {
			ds := daemonSet(r.namespace, o.name)
			switch variant {
			case 0:
				ds.Finalizers = []string{held}
			case 1:
				ds.Spec.Template.Labels = map[string]string{"app": "other"}
			case 2:
				ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "5"}
			case 3:
				ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "x"}
			case 4:
				ds.Status.NumberReady, ds.Generation = 3, 9
			}
			return s.CreateDaemonSet(r.ctx, ds)
		}}
	}
	switch n := r.dice.IntN(10); {
	case n < 3:
		text, opts := r.deletion(o)
		return op{text: "delete " + o.name + text, on: o, do: func(s *side) (metav1.Object, error) {
			return nil, s.DeleteDaemonSet(r.ctx, r.namespace, o.name, opts(s))
		}}
	case n < 7:
		return update(r, o, "update", daemonChanges(r), func(s *side, d *appsv1.DaemonSet) (*appsv1.DaemonSet, error) { return s.UpdateDaemonSet(r.ctx, d) })
	default:
		return update(r, o, "update status of", daemonStatusChanges(r), func(s *side, d *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
			return s.UpdateDaemonSetStatus(r.ctx, d)
		})
	}
}

func (r *run) revisionOp() op {
	o := slot{apimodel.Revisions, fmt.Sprintf("r%d", r.dice.IntN(2))}
	if (!r.there[o] && r.dice.IntN(4) > 0) || r.dice.IntN(6) == 0 {
		from, held := r.daemon(), r.dice.IntN(4) == 0
		return op{text: fmt.Sprintf("create %s of %s, finalizer %v", o.name, from.name, held), on: o, do: func(s *side) (metav1.Object, error) {
			c := revision(r.namespace, o.name, 1)
			c.OwnerReferences = []metav1.OwnerReference{s.ref(from, true)}
			if held {
				c.Finalizers = []string{"example.com/held"}
			}
			return s.CreateRevision(r.ctx, c)
		}}
	}
	if r.dice.IntN(3) == 0 {
		text, opts := r.deletion(o)
		return op{text: "delete " + o.name + text, on: o, do: func(s *side) (metav1.Object, error) {
			return nil, s.DeleteRevision(r.ctx, r.namespace, o.name, opts(s))
		}}
	}
	return update(r, o, "update", revisionChanges(r), func(s *side, c *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
		return s.UpdateRevision(r.ctx, c)
	})
}

func (r *run) node() slot {
	return slot{apimodel.Nodes, fmt.Sprintf("%s-n%d", r.namespace, r.dice.IntN(2))}
}

func (r *run) nodeOp() op {
	o := r.node()
	if (!r.there[o] && r.dice.IntN(4) > 0) || r.dice.IntN(6) == 0 {
		return op{text: "create " + o.name, on: o, do: func(s *side) (metav1.Object, error) { return s.CreateNode(r.ctx, node(o.name)) }}
	}
	switch r.dice.IntN(4) {
	case 0:
		return op{text: "delete " + o.name, on: o, do: func(s *side) (metav1.Object, error) { return nil, s.DeleteNode(r.ctx, o.name) }}
	case 1:
		return update(r, o, "update status of", nodeStatusChanges(r), func(s *side, c *corev1.Node) (*corev1.Node, error) { return s.UpdateNodeStatus(r.ctx, c) })
	default:
		return update(r, o, "update", nodeChanges(r), func(s *side, c *corev1.Node) (*corev1.Node, error) { return s.UpdateNode(r.ctx, c) })
	}
}
