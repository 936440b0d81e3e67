package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// changes are the smallest ones that would turn a no into a yes. For a verdict each failing rule needs one.
func (b *Book) changes(s *fleet.Slot, f finding) []string {
	if s.Node != nil && !s.Verdict.ShouldRun() && f.reason.Code == s.Verdict.Reason.Code {
		return b.admit(s.Node)
	}
	if say := changeByCode[f.reason.Code]; say != nil {
		return say(b, s, f)
	}
	return nil
}

// admit gives a change for each rule that keeps the daemon off a node.
func (b *Book) admit(n *fleet.Node) []string {
	var out []string
	spec := b.template()
	if spec.NodeName != "" && spec.NodeName != n.Name {
		out = append(out, "remove spec.template.spec.nodeName: "+spec.NodeName)
	}
	for _, key := range sortedKeys(spec.NodeSelector) {
		if have, ok := n.Labels[key]; !ok || have != spec.NodeSelector[key] {
			out = append(out, labelNode(n, key, spec.NodeSelector[key]))
		}
	}
	out = append(out, b.admitAffinity(n)...)
	for i := range n.Taints {
		t := &n.Taints[i]
		if t.Effect == corev1.TaintEffectPreferNoSchedule || b.tolerates(t) {
			continue
		}
		out = append(out,
			"add to spec.template.spec.tolerations: "+tolerationFor(t),
			"or: kubectl taint node "+n.Name+" "+t.Key+":"+string(t.Effect)+"-")
	}
	return out
}

func labelNode(n *fleet.Node, key, value string) string {
	text := fmt.Sprintf("kubectl label node %s %s=%s", n.Name, key, value)
	if _, ok := n.Labels[key]; ok {
		text += " --overwrite"
	}
	return text
}

func tolerationFor(t *corev1.Taint) string {
	if t.Value == "" {
		return fmt.Sprintf("{key: %s, operator: Exists, effect: %s}", t.Key, t.Effect)
	}
	return fmt.Sprintf("{key: %s, operator: Equal, value: %q, effect: %s}", t.Key, t.Value, t.Effect)
}

type sayChange func(b *Book, s *fleet.Slot, f finding) []string

var changeByCode = map[fleet.Code]sayChange{
	fleet.NoRoom: func(b *Book, s *fleet.Slot, _ finding) []string { return b.makeRoom(s.Node) },
	Unscheduled: func(b *Book, s *fleet.Slot, f finding) []string {
		if rec := b.record(f.pod); rec != nil && rec.Scheduled == nil {
			return []string{"run a kube-scheduler, or everynode with --placement direct, which needs none"}
		}
		return b.makeRoom(s.Node)
	},
	fleet.PortTaken: func(b *Book, s *fleet.Slot, _ finding) []string {
		var out []string
		for _, port := range b.daemon.HostPorts {
			if holder := holderOf(port, s.Node, nil); holder != nil && holder.Owner != b.daemon.UID {
				out = append(out, fmt.Sprintf("remove Pod %s from the node, or give one of the two another port than %d/%s", holder.Key(), port.Port, port.Protocol))
			}
		}
		return out
	},
	fleet.CallBackoff: func(b *Book, _ *fleet.Slot, f finding) []string {
		return allow(f.reason.Detail, b.daemon.Key.Namespace)
	},
	RolloutBlocked: func(b *Book, _ *fleet.Slot, f finding) []string {
		return allow(f.reason.Detail, b.daemon.Key.Namespace)
	},
	fleet.BudgetUsed: func(b *Book, _ *fleet.Slot, _ finding) []string {
		field := "maxUnavailable"
		if b.plan.Budget.Surging {
			field = "maxSurge"
		}
		return []string{"make the nodes available that use up the budget, or raise spec.updateStrategy.rollingUpdate." + field}
	},
	fleet.UpdateOnDelete: func(b *Book, _ *fleet.Slot, f finding) []string {
		return []string{b.deletePod(f.pod), "or set spec.updateStrategy.type: RollingUpdate"}
	},
	fleet.FailureBackoff: func(b *Book, _ *fleet.Slot, f finding) []string {
		return []string{"repair what made it fail; the pause ends at once after: " + b.deletePod(f.pod)}
	},
	fleet.PodTerminating: func(b *Book, s *fleet.Slot, f finding) []string {
		rec := b.record(f.pod)
		if rec == nil {
			return nil
		}
		if len(rec.Finalizers) > 0 {
			return []string{"whoever set finalizer " + strings.Join(rec.Finalizers, ", ") + " on Pod " + rec.Name + " has to remove it"}
		}
		if rec.Ends != nil && b.world.Now.After(*rec.Ends) {
			return []string{"look at the kubelet of node " + s.NodeName + ", which does not end it; by force, if the machine is certainly off: " + b.deletePod(f.pod) + " --grace-period=0 --force"}
		}
		return nil
	},
	fleet.SelectorMismatch: func(b *Book, _ *fleet.Slot, f finding) []string {
		return []string{"give Pod " + f.pod.Name + " its labels back: " + labelsText(b.daemon.Object.Spec.Selector.MatchLabels)}
	},
	ImagePullFailed: func(*Book, *fleet.Slot, finding) []string {
		return []string{"correct the image in spec.template.spec.containers, or let the node reach the registry"}
	},
	NodeNotReady: func(_ *Book, s *fleet.Slot, _ finding) []string {
		return []string{"look at the node: kubectl describe node " + s.NodeName}
	},
	CrashLoop:           logs("--previous"),
	ProbeFailing:        logs(""),
	ContainerNotStarted: describe,
	NotRead: func(*Book, *fleet.Slot, finding) []string {
		return []string{"ask for the right to list nodes and pods in the whole cluster; the notes name what is missing"}
	},
	NoController: func(*Book, *fleet.Slot, finding) []string {
		return []string{"run one: everynode controller, or kube-controller-manager with its daemonset-controller"}
	},
}

func logs(flag string) sayChange {
	return func(b *Book, _ *fleet.Slot, f finding) []string {
		return []string{strings.TrimSpace(fmt.Sprintf("see why: kubectl -n %s logs %s --all-containers %s", b.daemon.Key.Namespace, f.pod.Name, flag))}
	}
}

func describe(b *Book, _ *fleet.Slot, f finding) []string {
	return []string{fmt.Sprintf("see why: kubectl -n %s describe pod %s", b.daemon.Key.Namespace, f.pod.Name)}
}

func (b *Book) deletePod(pod *fleet.Pod) string {
	if pod == nil {
		return "kubectl delete pod"
	}
	return "kubectl -n " + pod.Namespace + " delete pod " + pod.Name
}

// makeRoom says how much of what is too little, or what the Pod would have to ask for.
func (b *Book) makeRoom(n *fleet.Node) []string {
	if n == nil {
		return nil
	}
	var out []string
	for _, a := range amounts(b.daemon.Requests, n, nil) {
		if a.fits() {
			continue
		}
		short := a.show(a.want - (a.have - a.used))
		switch {
		case a.name == corev1.ResourcePods:
			out = append(out, "remove a Pod from the node, or raise the kubelet's maxPods")
		case a.want > a.have:
			out = append(out, fmt.Sprintf("lower the request of %s to at most %s: the whole node has no more", a.name, a.show(a.have)))
		default:
			out = append(out, fmt.Sprintf("free %s of %s on the node, or lower the request by that much", short, a.name))
		}
	}
	return out
}

var (
	quotaText   = regexp.MustCompile(`exceeded quota: ([^,]+), requested: (\S+), used: (\S+), limited: (\S+)`)
	webhookText = regexp.MustCompile(`admission webhook "([^"]+)"`)
	policyText  = regexp.MustCompile(`ValidatingAdmissionPolicy '([^']+)'`)
)

// allow says who refused and what to ask them.
func allow(text, namespace string) []string {
	if m := quotaText.FindStringSubmatch(text); m != nil {
		return []string{fmt.Sprintf("raise ResourceQuota %s in namespace %s: %s is used of %s, and one Pod needs %s more", m[1], namespace, strings.TrimSuffix(m[3], ","), m[4], strings.TrimSuffix(m[2], ","))}
	}
	if m := webhookText.FindStringSubmatch(text); m != nil {
		return []string{fmt.Sprintf("make the Pod acceptable to admission webhook %s, or except namespace %s from it", m[1], namespace)}
	}
	if m := policyText.FindStringSubmatch(text); m != nil {
		return []string{fmt.Sprintf("make the Pod acceptable to ValidatingAdmissionPolicy %s, or except namespace %s from it", m[1], namespace)}
	}
	if strings.Contains(text, "violates PodSecurity") {
		return []string{fmt.Sprintf("meet the Pod security standard, or lower it: kubectl label namespace %s --overwrite pod-security.kubernetes.io/enforce=privileged", namespace)}
	}
	return nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func labelsText(m map[string]string) string {
	var parts []string
	for _, k := range sortedKeys(m) {
		parts = append(parts, k+"="+m[k])
	}
	return strings.Join(parts, ",")
}
