package simworld

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// StepKind is a kind of step.
type StepKind uint8

// The steps.
const (
	StepWait StepKind = iota
	StepTemplate
	StepBadTemplate
	StepTemplateBack
	StepStrategy
	StepNodeJoins
	StepNodeLeaves
	StepNodeReplaced
	StepTaint
	StepUntaint
	StepLabelNode
	StepSilence
	StepHear
	StepPodDeleted
	StepPodFails
	StepPodSucceeds
	StepPodUnready
	StepPodHeld
	StepPodOrphaned
	StepPodRelabelled
	StepPodAdopted
	StepHashEdited
	StepReject
	StepAdmit
	StepQuota
	StepWebhook
	StepWebhookMutates
	StepSecurity
	StepClosing
	StepLift
	StepLag
	StepDropWatches
	StepCompact
	StepOutage
	StepCrash
	StepPause
	StepSlowLoop
	StepJump
	StepSkew
	StepDeleteSet
	StepOrphanSet
	StepForegroundSet
	StepRevisionDeleted
	StepRevisionEdited
	StepRevisionTaken
	StepHeartbeats
	stepCount
)

var stepNames = [stepCount]string{
	"wait", "new template", "bad template", "template back", "strategy", "node joins", "node leaves", "node replaced", "taint",
	"untaint", "label node", "kubelet dies", "kubelet returns", "Pod deleted", "Pod fails", "Pod succeeds", "Pod not ready",
	"Pod held", "Pod orphaned", "Pod relabelled", "Pod taken by another", "hash edited", "kubelet rejects", "kubelet admits",
	"quota", "webhook denies", "webhook mutates", "PodSecurity", "namespace closes", "denials end", "lag", "watches drop",
	"compaction", "outage", "crash", "pause", "slow loop", "clock jumps", "kubelet's clock off", "DaemonSet deleted",
	"DaemonSet orphaned", "DaemonSet deleted in the foreground", "revision deleted", "revision edited", "revision's name taken",
	"heartbeats",
}

// String gives the step's name.
func (k StepKind) String() string { return stepNames[k] }

// stepNeeds says which fault has to be switched on for a step; others are always possible.
var stepNeeds = map[StepKind]Fault{
	StepBadTemplate: SpecEdits, StepTemplateBack: SpecEdits, StepStrategy: SpecEdits,
	StepNodeReplaced: NodeReplaced, StepTaint: Flapping, StepUntaint: Flapping, StepLabelNode: Flapping,
	StepSilence: Stuck, StepHear: Stuck, StepPodHeld: Stuck,
	StepPodOrphaned: ThirdParty, StepPodRelabelled: ThirdParty, StepPodAdopted: ThirdParty, StepHashEdited: ThirdParty,
	StepReject: Rejection, StepAdmit: Rejection, StepQuota: Quota, StepWebhook: Webhook, StepWebhookMutates: Webhook,
	StepSecurity: Closing, StepClosing: Closing, StepLag: Lag, StepDropWatches: WatchDrops, StepCompact: WatchDrops,
	StepOutage: Outage, StepCrash: CrashBefore, StepPause: Pause, StepSlowLoop: SlowConsumer, StepJump: ClockJump, StepSkew: ClockJump,
	StepDeleteSet: Recreation, StepOrphanSet: Recreation, StepForegroundSet: Recreation,
	StepRevisionDeleted: RevisionEdits, StepRevisionEdited: RevisionEdits, StepRevisionTaken: RevisionEdits,
}

// take lets one step happen.
func (w *World) take(s Step) {
	d := dice(s.Dice)
	w.trace("step", s.Do.String(), "", "", 0)
	if f, ok := stepNeeds[s.Do]; ok {
		w.hit(f)
	}
	switch {
	case s.Do >= StepNodeJoins && s.Do <= StepHear, s.Do == StepReject, s.Do == StepAdmit, s.Do == StepHeartbeats, s.Do == StepSkew:
		w.nodeStep(s.Do, d)
	case s.Do >= StepPodDeleted && s.Do <= StepHashEdited:
		w.podStep(s.Do, d)
	case s.Do >= StepQuota && s.Do <= StepLift:
		w.admissionStep(s.Do, d)
	case s.Do >= StepLag && s.Do <= StepJump:
		w.processStep(s.Do, d)
	default:
		w.specStep(s.Do, d)
	}
}

func (w *World) admissionStep(k StepKind, d dice) {
	a := &w.admission
	switch k {
	case StepQuota:
		a.quota = d.roll(30, 2*w.Setup.Nodes)
	case StepWebhook:
		a.webhook = []int{400, 403, 404, 409, 500}[d.roll(31, 5)]
		a.node = ""
		if d.chance(32, 2) {
			a.node = w.someNode(d)
		}
		if d.chance(33, 3) {
			a.deletes, a.webhook = a.webhook, 0
		}
	case StepWebhookMutates:
		a.mutates = !a.mutates
	case StepSecurity:
		a.security = true
	case StepClosing:
		w.API.Closing["default"] = true
		w.later(d.between(34, time.Second, 30*time.Second), func() { delete(w.API.Closing, "default") })
	case StepLift:
		a.lift()
	}
}

func (w *World) processStep(k StepKind, d dice) {
	r := w.replicas[d.roll(40, len(w.replicas))]
	kind := apimodel.Kinds[d.roll(41, len(apimodel.Kinds))]
	switch k {
	case StepLag:
		w.setLag(kind, []time.Duration{0, d.between(42, 0, 200*time.Millisecond), d.between(43, 0, 20*time.Second)}[d.roll(44, 3)])
	case StepDropWatches:
		w.dropWatches(d)
		if d.chance(45, 2) {
			w.API.Compact(w.API.Version())
		}
	case StepCompact:
		w.API.Compact(w.API.Version())
	case StepOutage:
		w.downUntil = w.now.Add(d.between(46, 100*time.Millisecond, 40*time.Second))
		w.dropWatches(d)
	case StepCrash:
		r.crash("by step", d)
	case StepPause:
		r.stand(d.between(47, time.Second, 40*time.Second), d)
	case StepSlowLoop:
		r.slow = []time.Duration{0, d.between(48, 0, 3*time.Second)}[d.roll(49, 2)]
		r.worstSlow = max(r.worstSlow, r.slow)
	case StepJump:
		w.stampShift = time.Duration(d.roll(50, 49)-24) * time.Hour
	}
}

func (w *World) setLag(kind apimodel.Kind, lag time.Duration) {
	w.lags[kind] = lag
	for _, r := range w.replicas {
		for _, x := range r.watches {
			if x.kind == kind {
				x.lag = lag
			}
		}
	}
}

func (w *World) dropWatches(d dice) {
	for i, r := range w.replicas {
		for j, x := range r.watches {
			if turn := uint64(60 + 8*i + j); w.outage() || d.chance(turn, 2) {
				x.drop(d.between(turn+40, 800*time.Millisecond, 30*time.Second))
			}
		}
	}
}

// stand stops a process for a while, as SIGSTOP does. What was about to be sent may be sent when it goes on.
func (r *Replica) stand(d time.Duration, dice dice) {
	r.pausedUntil = r.w.now.Add(d)
	r.w.trace("pause", r.name, d.String(), "", 0)
	for i, f := range r.flights {
		if q := f.pending; q != nil && !q.served && dice.chance(uint64(200+i), 2) {
			q.held = true
		}
	}
}

func (w *World) nodeStep(k StepKind, d dice) {
	name := w.someNode(d)
	n, err := w.API.GetNode(name)
	if k == StepNodeJoins {
		w.join(fmt.Sprintf("n%d", d.roll(70, 9)), d)
		return
	}
	if err != nil {
		return
	}
	next := n.DeepCopy()
	switch k {
	case StepNodeLeaves, StepNodeReplaced:
		if err := w.API.DeleteNode("user", name); err != nil {
			panic(err)
		}
		if k == StepNodeReplaced {
			w.later(d.between(71, 0, 5*time.Second), func() { w.join(name, d) })
		}
		return
	case StepTaint:
		effect := []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule}[d.roll(72, 3)]
		next.Spec.Taints = append(next.Spec.Taints, corev1.Taint{Key: "x", Effect: effect})
	case StepUntaint:
		next.Spec.Taints = nil
	case StepLabelNode:
		next.Labels["pool"] = []string{"a", "b"}[d.roll(73, 2)]
	case StepSilence, StepHear:
		w.kubelets.silence(name, k == StepSilence)
		return
	case StepReject, StepAdmit:
		w.kubelets.rejecting[name] = k == StepReject
		return
	case StepSkew:
		w.kubelets.skew[name] = time.Duration(d.roll(74, 7201)-3600) * time.Second
		return
	case StepHeartbeats:
		next.Status.Conditions[0].LastHeartbeatTime.Time = w.now
	}
	w.must(w.API.UpdateNode("user", next))
}

func (w *World) join(name string, d dice) {
	n := &corev1.Node{}
	n.Name = name
	n.Labels = map[string]string{corev1.LabelHostname: name, corev1.LabelTopologyZone: fmt.Sprintf("z%d", d.roll(75, 2)), "pool": []string{"a", "b"}[d.roll(76, 2)]}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if _, err := w.API.CreateNode("user", n); err != nil {
		w.trace("left", "user", name, err.Error(), 0) // it is there
	}
}

func (w *World) someNode(d dice) string {
	nodes := w.nodes()
	if len(nodes) == 0 {
		return ""
	}
	return nodes[d.roll(77, len(nodes))].Name
}
