package plan

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

// accepted makes of any text one that the API server may take for a DaemonSet's name, so that few inputs are wasted.
func accepted(text string) (string, bool) {
	letters := []byte("abcdefghijklmnopqrstuvwxyz0123456789-.")
	name := []byte(text)
	for i, c := range name {
		if !strings.ContainsRune(string(letters), rune(c)) {
			name[i] = letters[int(c)%len(letters)]
		}
	}
	return string(name), len(apimachineryvalidation.NameIsDNSSubdomain(string(name), false)) == 0
}

// FuzzName: a derived name is a valid Pod name and host name, always the same, never that of a Pod on the slot, and
// another for each node, DaemonSet and salt.
func FuzzName(f *testing.F) {
	f.Add("d", "uid-d", "uid-e", "n1", "n2", "uid-foreign", uint8(0))
	f.Add(strings.Repeat("a.", 30)+"b", "u", "v", "n1", "n1.example.com", "", uint8(5))
	f.Fuzz(func(t *testing.T, text, uid, otherUID, node, otherNode, taken string, pods uint8) {
		daemon, ok := accepted(text)
		if !ok || strings.Contains(uid+otherUID+node+otherNode+taken, "\x00") {
			t.Skip("the API server refuses it")
		}
		name := func(uid, node, taken string, pods []*fleet.Pod) string {
			d := &fleet.Daemon{Key: types.NamespacedName{Namespace: "ns", Name: daemon}, UID: types.UID(uid)}
			s := &fleet.Slot{NodeName: node, Pods: pods}
			s.Note(func(t *fleet.Trouble) { t.Taken = types.UID(taken) })
			got := Name(d, s)
			if again := Name(d, s); again != got {
				t.Fatalf("first %s, then %s", got, again)
			}
			if errs := apimachineryvalidation.NameIsDNSSubdomain(got, false); len(errs) > 0 || len(got) > 63 {
				t.Fatalf("%d bytes, %q: %v", len(got), got, errs)
			}
			if !strings.HasPrefix(got, daemon[:min(len(daemon), 20)]) {
				t.Fatalf("%s does not show whose it is: %s", got, daemon)
			}
			return got
		}
		first := name(uid, node, "", nil)
		for _, other := range [][3]string{{otherUID, node, ""}, {uid, otherNode, ""}, {uid, node, taken}, {otherUID, otherNode, taken}} {
			if same := other == [3]string{uid, node, ""}; (name(other[0], other[1], other[2], nil) == first) != same {
				t.Fatalf("%v and %v: the name is %s", []string{uid, node, ""}, other, first)
			}
		}
		// Each Pod holds the name that would come next; the first is still in flight and has no UID.
		var onSlot []*fleet.Pod
		held := map[string]bool{}
		for i := range int(pods % 8) {
			p := &fleet.Pod{Name: name(uid, node, taken, onSlot)}
			if i > 0 {
				p.UID = types.UID(fmt.Sprint("pod-", i))
			}
			onSlot, held[p.Name] = append(onSlot, p), true
		}
		if got := name(uid, node, taken, onSlot); held[got] || len(held) != len(onSlot) {
			t.Fatalf("%s is the name of a Pod on the slot: %v", got, held)
		}
	})
}

// slow are amounts that apimachinery takes minutes to parse or to compare: it writes out the power of ten.
var slow = regexp.MustCompile(`\d\.?[eE][+-]?\d{3}`)

// FuzzNewPod: the Pod of any template is bound to its node and no other, is labelled and owned, and the DaemonSet is not
// modified.
func FuzzNewPod(f *testing.F) {
	f.Add("d", `{}`, "", "h", "n1", "n2")
	f.Add("a.b", `{"metadata":{"labels":{"app":"d","controller-revision-hash":"x"},"finalizers":["a/b"]},"spec":{"nodeName":"n1","affinity":`+
		`{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{}]}}}}}`, "7", "h", "n1", "n2")
	f.Fuzz(func(t *testing.T, text, templateText, generation, hash, node, other string) {
		daemon, ok := accepted(text)
		ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: daemon, Namespace: "ns", UID: "uid-d"}}
		if !ok || node == "" || slow.MatchString(templateText) || json.Unmarshal([]byte(templateText), &ds.Spec.Template) != nil {
			t.Skip("the API server refuses it")
		}
		if generation != "" {
			ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: generation}
		}
		before := ds.DeepCopy()
		for _, placement := range []Placement{Direct, Scheduler} {
			pod := NewPod(ds, hash, node, "p", placement)
			if target, ok := match.Target(&pod.Spec); ds.Spec.Template.Spec.NodeName == "" && (target != node || !ok) {
				t.Errorf("%s: made for %q, found on %q, %v", placement, node, target, ok)
			}
			if placement == Direct && pod.Spec.NodeName != node {
				t.Errorf("bound to %q, not to %q", pod.Spec.NodeName, node)
			}
			if placement == Scheduler && other != "" {
				helper := nodeaffinity.NewRequiredNodeAffinity(nil, pod.Spec.Affinity)
				if fits, err := helper.Match(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: other}}); fits != (other == node) || err != nil {
					t.Errorf("made for %q, accepts %q: %v, %v", node, other, fits, err)
				}
			}
			want := map[string]string{}
			for k, v := range before.Spec.Template.Labels {
				want[k] = v
			}
			if want["controller-revision-hash"] = hash; generation != "" {
				want["pod-template-generation"] = generation
			}
			if diff := cmp.Diff(want, pod.Labels); diff != "" {
				t.Errorf("labels: %s", diff)
			}
			if owner := metav1.GetControllerOf(pod); owner == nil || owner.UID != ds.UID || owner.Name != daemon {
				t.Errorf("owner %+v", owner)
			}
			if prefix := pod.GenerateName; len(apimachineryvalidation.NameIsDNSSubdomain(prefix, true)) > 0 ||
				(prefix != daemon+"-" && len(daemon) < 252) {
				t.Errorf("names of %q begin with %q", daemon, prefix)
			}
			// What is done to the Pod's own maps and lists stays with the Pod.
			pod.Labels["more"], pod.Spec.NodeSelector = "x", nil
			pod.Finalizers = append(pod.Finalizers, "x/y")
			for i := range pod.Spec.Tolerations {
				pod.Spec.Tolerations[i].Key = "x"
			}
			for i := range pod.Spec.Containers {
				pod.Spec.Containers[i].Image = "x"
			}
			if diff := cmp.Diff(before, ds); diff != "" {
				t.Fatalf("the DaemonSet is modified: %s", diff)
			}
		}
	})
}
