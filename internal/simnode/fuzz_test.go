package simnode

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// fit tells what the API server would say of a simulated node's name and labels, and what its kubelet of its annotations.
func fit(t *testing.T, node *corev1.Node) {
	t.Helper()
	errs := metav1validation.ValidateLabels(node.Labels, field.NewPath("metadata", "labels"))
	if names := apimachineryvalidation.NameIsDNSSubdomain(node.Name, false); len(names) > 0 || len(errs) > 0 {
		t.Fatalf("node %q: %v, %v", node.Name, names, errs)
	}
	if node.ResourceVersion != "" || node.UID != "" || node.Status.Conditions != nil {
		t.Fatalf("node %q keeps what another cluster has written: %+v", node.Name, node)
	}
	if simulated, _ := Simulated(node); !simulated {
		t.Fatalf("node %q is not simulated: %v", node.Name, node.Annotations)
	}
}

// slow are amounts that apimachinery takes minutes to parse or to compare: it writes out the power of ten.
var slow = regexp.MustCompile(`\d\.?[eE][+-]?\d{3}`)

// FuzzNodesFile: what is no nodes file says where it is not one, and what is one makes nodes that a file of them makes again.
func FuzzNodesFile(f *testing.F) {
	f.Add([]byte("groups:\n- {count: 2, prefix: edge-, hardware: storage, taints: ['a=b:NoSchedule'], capacity: {cpu: 500m}}\n"))
	f.Add([]byte("kind: Node\napiVersion: v1\nmetadata: {name: a}\n---\nkind: List\nitems:\n- {kind: Node, apiVersion: v1, metadata: {name: b}}\n"))
	many := regexp.MustCompile(`count.*(\b\d{3,5}\b|\d[eE_+])`)
	f.Fuzz(func(t *testing.T, data []byte) {
		if many.Match(data) || slow.Match(data) {
			t.Skip("thousands of nodes are allowed and take seconds")
		}
		nodes, err := parse(data)
		if err != nil {
			where := regexp.MustCompile(`^(document \d+: |it holds no nodes: |node ".*" appears twice: )`)
			if !where.MatchString(err.Error()) {
				t.Fatalf("the error does not say where: %v", err)
			}
			return
		}
		if len(nodes) > 20 {
			nodes = nodes[:20]
		}
		seen := map[string]bool{}
		for i := range nodes {
			fit(t, &nodes[i])
			if seen[nodes[i].Name] {
				t.Fatalf("node %q twice", nodes[i].Name)
			}
			seen[nodes[i].Name] = true
		}
		text, err := yaml.Marshal(corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList"}, Items: nodes})
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(text)
		if err != nil || !equality.Semantic.DeepEqual(nodes, again) {
			t.Fatalf("written and read again: %v, %s", err, cmp.Diff(nodes, again))
		}
	})
}

// FuzzTemplate: a group makes the nodes that were asked for, with names that nobody has, or an error that names the field.
func FuzzTemplate(f *testing.F) {
	f.Add(2, "edge-", "storage", "berlin", "disk", "ssd", "a=b:NoSchedule", "cpu", "500m", "not-ready", "true", "edge-7")
	f.Add(1, "", "", "", "", "", "", "", "", "", "", "node-001")
	f.Fuzz(func(t *testing.T, n int, prefix, kind, zone, key, value, taint, amountName, amount, knob, knobValue, existing string) {
		if slow.MatchString(amount) {
			t.Skip("long numbers take long")
		}
		group := Template{Prefix: prefix, Hardware: kind, Zone: zone, Labels: map[string]string{}, Annotations: map[string]string{}, Capacity: map[string]string{}}
		if key != "" {
			group.Labels[key] = value
		}
		if taint != "" {
			group.Taints = []string{taint}
		}
		if amountName != "" {
			group.Capacity[amountName] = amount
		}
		if knob != "" {
			group.Annotations[Prefix+knob] = knobValue
		}
		if n > 100 && n < maxHosts {
			n = 100 // more take long
		}
		names := strings.Split(existing, ",")
		nodes, err := group.Nodes(n, names)
		if err != nil {
			blamed := []string{"count is " + strconv.Itoa(n), "hardware " + strconv.Quote(kind), "metadata.name", "metadata.labels: ", "metadata.annotations: "}
			blamed = append(blamed, "taint "+strconv.Quote(taint)+": ", "capacity "+amountName+"="+strconv.Quote(amount))
			if !slices.ContainsFunc(blamed, func(part string) bool { return strings.Contains(err.Error(), part) }) {
				t.Fatalf("the error names no field: %v", err)
			}
			return
		}
		if len(nodes) != n {
			t.Fatalf("%d nodes, want %d", len(nodes), n)
		}
		for i := range nodes {
			node := &nodes[i]
			fit(t, node)
			if slices.Contains(names, node.Name) || (i > 0 && len(node.Name) == len(nodes[i-1].Name) && node.Name <= nodes[i-1].Name) {
				t.Fatalf("the name %q is taken or not the next", node.Name)
			}
			if key != "" && node.Labels[key] != value {
				t.Fatalf("label %s is %q", key, node.Labels[key])
			}
			if amountName != "" {
				if got, want := node.Status.Allocatable[corev1.ResourceName(amountName)], resource.MustParse(amount); got.Cmp(want) != 0 || want.Sign() < 0 {
					t.Fatalf("capacity %s is %s, want %s", amountName, got.String(), amount)
				}
			}
			if taint != "" {
				got := node.Spec.Taints[0]
				again, err := ParseTaint(got.Key + "=" + got.Value + ":" + string(got.Effect))
				if errs := metav1validation.ValidateLabels(map[string]string{got.Key: got.Value}, nil); len(errs) > 0 {
					t.Fatalf("taint %q: %v", taint, errs)
				}
				if err != nil || again != got || !strings.HasPrefix(taint, got.Key) || !strings.HasSuffix(taint, ":"+string(got.Effect)) {
					t.Fatalf("taint %q is %+v, read again %+v, %v", taint, got, again, err)
				}
			}
		}
	})
}

// annotationsOf reads lines of name=value; the names get our prefix.
func annotationsOf(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			out[Prefix+name] = value
		}
	}
	return out
}

// judge notes which annotations may be complained about.
type judge struct {
	annotations map[string]string
	bad         map[string]bool
}

func (j *judge) flag(key string) bool {
	text, ok := j.annotations[key]
	on, err := strconv.ParseBool(text)
	j.bad[key] = ok && err != nil
	return ok && on && err == nil
}

// duration is -1 without a good annotation.
func (j *judge) duration(key string, least time.Duration) time.Duration {
	text, ok := j.annotations[key]
	d, err := time.ParseDuration(text)
	if j.bad[key] = ok && (err != nil || d < least); !ok || j.bad[key] {
		return -1
	}
	return d
}

func (j *judge) reason(key string) *refusal {
	text, ok := j.annotations[key]
	reason, message, _ := strings.Cut(text, ":")
	words := strings.Fields(reason)
	if j.bad[key] = ok && len(words) != 1; !ok || j.bad[key] {
		return nil
	}
	return &refusal{words[0], strings.TrimSpace(message)}
}

// complaints holds the problems to: exactly the bad annotations, each quoted.
func (j *judge) complaints(t *testing.T, problems []problem, known ...string) {
	t.Helper()
	for key := range j.annotations {
		j.bad[key] = j.bad[key] || !slices.Contains(known, key)
	}
	maps.DeleteFunc(j.bad, func(_ string, bad bool) bool { return !bad })
	got := map[string]bool{}
	for _, p := range problems {
		got[p.annotation] = true
		if beginning := "annotation " + p.annotation + "=" + strconv.Quote(j.annotations[p.annotation]); !strings.HasPrefix(p.text, beginning) {
			t.Errorf("%q does not begin with %q", p.text, beginning)
		}
	}
	if diff := cmp.Diff(j.bad, got); diff != "" {
		t.Errorf("complaints about %q: %s", j.annotations, diff)
	}
}

func orNone(d *time.Duration) time.Duration {
	if d == nil {
		return -1
	}
	return *d
}

// FuzzFaults: a Pod's annotations ask for exactly what they spell; all others are complained about.
func FuzzFaults(f *testing.F) {
	f.Add("ready-after=10s\nnever-ready=true\nfail=OutOfcpu: none left\nfail-after=1m", "n1")
	f.Add("stuck-terminating=5s\ncrash-loop=1\nonly-on=n2, n1", "n1")
	f.Fuzz(func(t *testing.T, text, node string) {
		j := &judge{annotations: annotationsOf(text), bad: map[string]bool{}}
		got, problems := readFaults(maps.Clone(j.annotations), node)
		stuckText, isStuck := j.annotations[StuckTerminatingAnnotation]
		stuck, err := strconv.ParseBool(stuckText)
		stuckFor := time.Duration(-1)
		if isStuck && err != nil {
			stuckFor = j.duration(StuckTerminatingAnnotation, 0)
		}
		ready, succeed := j.duration(ReadyAfterAnnotation, 0), j.duration(SucceedAfterAnnotation, 0)
		want := faults{
			neverReady: j.flag(NeverReadyAnnotation), crashLoop: j.flag(CrashLoopAnnotation), pullFailure: j.flag(ImagePullFailureAnnotation),
			fail: j.reason(FailAnnotation), failAfter: max(0, j.duration(FailAfterAnnotation, 0)), stuck: isStuck && err == nil && stuck,
		}
		if _, after := j.annotations[FailAfterAnnotation]; after && want.fail == nil {
			j.bad[FailAfterAnnotation] = true
		}
		only, ok := j.annotations[OnlyOnAnnotation]
		if ok && !slices.ContainsFunc(strings.Split(only, ","), func(part string) bool { return strings.TrimSpace(part) == node }) {
			want, ready, succeed, stuckFor = faults{}, -1, -1, -1
		}
		if orNone(got.readyAfter) != ready || orNone(got.succeedAfter) != succeed || orNone(got.stuckFor) != stuckFor {
			t.Errorf("%q: ready after %v, succeeds after %v, stuck for %v", j.annotations, orNone(got.readyAfter), orNone(got.succeedAfter), orNone(got.stuckFor))
		}
		got.readyAfter, got.succeedAfter, got.stuckFor = nil, nil, nil
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(faults{}, refusal{})); diff != "" {
			t.Errorf("%q: %s", j.annotations, diff)
		}
		j.complaints(t, problems, ReadyAfterAnnotation, NeverReadyAnnotation, CrashLoopAnnotation, ImagePullFailureAnnotation, FailAnnotation,
			FailAfterAnnotation, SucceedAfterAnnotation, StuckTerminatingAnnotation, OnlyOnAnnotation)
	})
}

// FuzzKnobs: the same for a Node's annotations.
func FuzzKnobs(f *testing.F) {
	f.Add("kubelet=running\nreject=NodeLost: gone\nclock-skew=-2m\nnot-ready=true\npressure=pid, disk,pid")
	f.Fuzz(func(t *testing.T, text string) {
		j := &judge{annotations: annotationsOf(text), bad: map[string]bool{}}
		got, problems := readKnobs(maps.Clone(j.annotations))
		kubelet, ok := j.annotations[KubeletAnnotation]
		j.bad[KubeletAnnotation] = ok && kubelet != "running" && kubelet != "stopped"
		want := knobs{
			simulated: kubelet == "running" || kubelet == "stopped", stopped: kubelet == "stopped",
			reject: j.reason(RejectAnnotation), notReady: j.flag(NotReadyAnnotation),
		}
		if want.skew = j.duration(ClockSkewAnnotation, -1<<63); j.bad[ClockSkewAnnotation] || j.annotations[ClockSkewAnnotation] == "" {
			want.skew = 0
		}
		pressures := map[string]bool{}
		list, ok := j.annotations[PressureAnnotation]
		for part := range strings.SplitSeq(list, ",") {
			part = strings.TrimSpace(part)
			pressures[part] = true
			j.bad[PressureAnnotation] = j.bad[PressureAnnotation] || (ok && part != "disk" && part != "memory" && part != "pid")
		}
		if ok && !j.bad[PressureAnnotation] {
			want.pressure = strings.Join(slices.Sorted(maps.Keys(pressures)), ",")
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(knobs{}, refusal{})); diff != "" {
			t.Errorf("%q: %s", j.annotations, diff)
		}
		j.complaints(t, problems, KubeletAnnotation, RejectAnnotation, ClockSkewAnnotation, NotReadyAnnotation, PressureAnnotation)
	})
}
