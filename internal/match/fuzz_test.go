package match

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	schedulingcorev1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/everynode/everynode/internal/fleet"
)

// FuzzToleration compares with the API types' own helper; its feature gate, for Lt and Gt, is off.
func FuzzToleration(f *testing.F) {
	f.Add("k", "Equal", "v", "NoSchedule", "k", "v", "NoSchedule")
	f.Add("", "Exists", "", "", "k", "v", "NoExecute")
	f.Add("level", "Gt", "5", "", "level", "9", "NoSchedule")
	f.Fuzz(func(t *testing.T, key, op, value, effect, taintKey, taintValue, taintEffect string) {
		tol := corev1.Toleration{Key: key, Operator: corev1.TolerationOperator(op), Value: value, Effect: corev1.TaintEffect(effect)}
		taint := corev1.Taint{Key: taintKey, Value: taintValue, Effect: corev1.TaintEffect(taintEffect)}
		if got, want := tolerates(&tol, &taint), tol.ToleratesTaint(logr.Discard(), &taint, false); got != want {
			t.Errorf("tolerates(%+v, %+v) = %v, want %v", tol, taint, got, want)
		}
	})
}

// FuzzRequirement compares one requirement, of a label or a field, with the scheduler's helper.
func FuzzRequirement(f *testing.F) {
	f.Add("zone", "In", "a,b", "a", "n1", false)
	f.Add("zone", "NotIn", "a", "b", "n1", false)
	f.Add("disks", "Gt", "2", "10", "n1", false)
	f.Add("metadata.name", "In", "n1", "", "n1", true)
	f.Fuzz(func(t *testing.T, key, op, values, label, nodeName string, field bool) {
		r := corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOperator(op)}
		if values != "" {
			r.Values = strings.Split(values, ",")
		}
		term := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}}
		if field {
			term = corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{r}}
		}
		spec := &corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: required(term),
		}}}
		n := &fleet.Node{Name: nodeName, Labels: map[string]string{"zone": label, "disks": label}}
		if got, want := New(daemonSet(spec)).Verdict(n), expected(spec, n); got.Decision != want {
			t.Errorf("%+v: got %v (%v), want %v", term, got.Decision, got.Reason, want)
		}
	})
}

// FuzzVerdict compares the whole decision with the helpers, and the verdict with the checks that explain it. The judge
// has no automatic tolerations of its own: FuzzTolerations looks after those.
func FuzzVerdict(f *testing.F) {
	f.Add("", "-", "", "", "n1", "", "", false)
	f.Add("zone=a", "zone In a,b&disks Gt 2|@metadata.name In n2", "zone=a;disks=4", "k=v:NoSchedule", "n1", "n1", "k Equal v ;j Exists", true)
	f.Fuzz(func(t *testing.T, selector, terms, labels, taints, nodeName, wanted, tolerations string, hostNetwork bool) {
		spec := &corev1.PodSpec{
			NodeName: wanted, NodeSelector: labelsOf(selector), Affinity: affinityOf(terms),
			Tolerations: tolerationsOf(tolerations), HostNetwork: hostNetwork,
		}
		n, node := nodeOfText(nodeName, labels, taints)
		m := New(daemonSet(spec))
		v, checks := m.Verdict(n), m.Checks(n)
		if want := judged(spec, Tolerations(spec), node); v.Decision != want {
			t.Fatalf("got %v (%v), the helpers say %v", v.Decision, v.Reason, want)
		}
		if decision, codes := decide(checks); decision != v.Decision || !codes[v.Reason.Code] {
			t.Fatalf("verdict %v (%v), the checks say %v for %v: %+v", v.Decision, v.Reason, decision, codes, checks)
		}
		if v.ShouldRun() != (v.Reason.Detail == "") {
			t.Fatalf("%v has the detail %q", v.Decision, v.Reason.Detail)
		}
	})
}

// FuzzTolerations: the result tolerates what the user's tolerations or the automatic ones do, and nothing else.
func FuzzTolerations(f *testing.F) {
	f.Add("", "node.kubernetes.io/not-ready=:NoExecute", false)
	f.Add("node.kubernetes.io/not-ready Exists  NoExecute;k Equal v ", "k=v:NoSchedule;node.kubernetes.io/network-unavailable:NoSchedule", true)
	f.Fuzz(func(t *testing.T, text, taints string, hostNetwork bool) {
		spec := &corev1.PodSpec{Tolerations: tolerationsOf(text), HostNetwork: hostNetwork}
		for i := range spec.Tolerations {
			spec.Tolerations[i].TolerationSeconds = new(int64)
		}
		before, got := spec.DeepCopy(), Tolerations(spec)
		if diff := cmp.Diff(before, spec); diff != "" {
			t.Fatalf("spec modified: %s", diff)
		}
		added := automatic
		if hostNetwork {
			added = append(added[:len(added):len(added)], automaticHostNetwork)
		}
		for _, taint := range taintsOf(taints) {
			tolerated := func(list []corev1.Toleration) bool {
				return schedulingcorev1.TolerationsTolerateTaint(logr.Discard(), list, &taint, false)
			}
			if want := tolerated(spec.Tolerations) || tolerated(added); tolerated(got) != want {
				t.Errorf("%+v: tolerated %v, want %v, by %+v", taint, !want, want, got)
			}
		}
		for i := range added { // U029: an automatic one is there without seconds, and with no twin that has some
			found := false
			for j := range got {
				if got[j].MatchToleration(&added[i]) {
					found = true
					if got[j].TolerationSeconds != nil {
						t.Errorf("%+v ends after %d seconds", got[j], *got[j].TolerationSeconds)
					}
				}
			}
			if !found {
				t.Errorf("%+v is missing in %+v", added[i], got)
			}
		}
		again := Tolerations(&corev1.PodSpec{Tolerations: got, HostNetwork: hostNetwork})
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("a second time changes them: %s", diff)
		}
	})
}

// FuzzPin: what is pinned goes to its node, whatever that node's labels, to no other, and is found there again. What the
// user only prefers is rated as before.
func FuzzPin(f *testing.F) {
	f.Add("-", "", "zone=a", "n1", "n2")
	f.Add("zone In a|@metadata.name In n2", "zone In a|zone NotIn b", "zone=a", "n1", "n2")
	f.Fuzz(func(t *testing.T, terms, preferred, labels, name, other string) {
		if name == "" {
			t.Skip("no node is without a name")
		}
		affinity := affinityOf(terms)
		if affinity != nil {
			for i, p := range termsOf(preferred) {
				list := &affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
				*list = append(*list, corev1.PreferredSchedulingTerm{Weight: int32(i%100 + 1), Preference: p})
			}
			affinity.PodAffinity, affinity.PodAntiAffinity = &corev1.PodAffinity{}, &corev1.PodAntiAffinity{}
		}
		before := affinity.DeepCopy()
		pinned := Pin(affinity, name)
		if diff := cmp.Diff(before, affinity); diff != "" {
			t.Fatalf("input modified: %s", diff)
		}
		if got, ok := Target(&corev1.PodSpec{Affinity: pinned}); got != name || !ok {
			t.Fatalf("pinned to %q, found on %q, %v", name, got, ok)
		}
		if bound, ok := Target(&corev1.PodSpec{Affinity: pinned, NodeName: other}); other != "" && (bound != other || !ok) {
			t.Fatalf("bound to %q, found on %q, %v", other, bound, ok)
		}
		helper := nodeaffinity.NewRequiredNodeAffinity(nil, pinned)
		for _, asked := range []string{name, other, name + "0"} {
			_, node := nodeOfText(asked, labels, "")
			if fits, err := helper.Match(node); asked != "" && (fits != (asked == name) || err != nil) {
				t.Errorf("pinned to %q, node %q: %v, %v", name, asked, fits, err)
			}
		}
		if affinity == nil {
			return
		}
		if pinned.PodAffinity != affinity.PodAffinity || pinned.PodAntiAffinity != affinity.PodAntiAffinity {
			t.Error("Pod affinities are lost")
		}
		if got, want := score(pinned, name, labels), score(affinity, name, labels); got != want {
			t.Errorf("node %q is rated %d, was %d", name, got, want)
		}
	})
}

// score is -1 for preferences that do not parse.
func score(a *corev1.Affinity, name, labels string) int64 {
	_, node := nodeOfText(name, labels, "")
	preferred, err := nodeaffinity.NewPreferredSchedulingTerms(a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	if err != nil {
		return -1
	}
	return preferred.Score(node)
}

// FuzzTarget: the node that a Pod waits for is the one that some field of it, alone, makes the helper accept, and no
// other; in a single term, that field lets the whole affinity accept no other either.
func FuzzTarget(f *testing.F) {
	f.Add("@metadata.name In n1", "n1", "zone=a")
	f.Add("zone In a&@metadata.name NotIn n2&@metadata.name In n1", "n2", "zone=a")
	f.Add("@metadata.name In n1,n2", "n1", "")
	f.Fuzz(func(t *testing.T, text, other, labels string) {
		spec, list := &corev1.PodSpec{Affinity: affinityOf(text)}, termsOf(text)
		var fields []corev1.NodeSelectorRequirement
		for i := range list {
			fields = append(fields, list[i].MatchFields...)
		}
		target, ok := Target(spec)
		chosen := slices.ContainsFunc(fields, func(r corev1.NodeSelectorRequirement) bool { return singles(r, target) })
		if ok != (target != "") || (ok && !chosen) {
			t.Fatalf("target %q, %v, yet no field singles it out", target, ok)
		}
		if !ok && len(fields) == 1 && len(fields[0].Values) > 0 && singles(fields[0], fields[0].Values[0]) {
			t.Fatalf("%+v singles out a node that is not found", fields[0])
		}
		if !ok || other == "" || len(list) != 1 {
			return
		}
		_, node := nodeOfText(other, labels, "")
		if fits, _ := nodeaffinity.NewRequiredNodeAffinity(nil, spec.Affinity).Match(node); fits && other != target {
			t.Errorf("the Pod waits for %q, yet may go to %q", target, other)
		}
	})
}

// singles tells whether the helper takes a field, alone in a term, to accept this node and no other.
func singles(field corev1.NodeSelectorRequirement, name string) bool {
	selector := nodeaffinity.NewLazyErrorNodeSelector(required(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{field}}))
	accepts := func(name string) bool {
		_, node := nodeOfText(name, "", "")
		fits, _ := selector.Match(node)
		return fits
	}
	return name != "" && accepts(name) && !accepts(name+"0")
}
