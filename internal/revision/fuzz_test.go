package revision

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
)

// slow are amounts that apimachinery takes minutes to parse or to compare: it writes out the power of ten.
var slow = regexp.MustCompile(`\d\.?[eE][+-]?\d{3}`)

// templateFrom reads a template twice: an API server has sent it, so it holds nothing that JSON cannot.
func templateFrom(text string) (*corev1.PodTemplateSpec, bool) {
	var sent, read corev1.PodTemplateSpec
	if slow.MatchString(text) || json.Unmarshal([]byte(text), &sent) != nil {
		return nil, false
	}
	again, err := json.Marshal(&sent)
	return &read, err == nil && json.Unmarshal(again, &read) == nil
}

// undo is what kubectl rollout undo has the API server do: the stored data is a patch to the DaemonSet.
func undo(template *corev1.PodTemplateSpec, data []byte) (*appsv1.DaemonSet, error) {
	ds := daemonSet("v0", 3)
	ds.Spec.Template = *template
	before, err := json.Marshal(ds)
	if err != nil {
		return nil, err
	}
	after, err := strategicpatch.StrategicMergePatch(before, data, &appsv1.DaemonSet{})
	if err != nil {
		return nil, err
	}
	patched := &appsv1.DaemonSet{}
	return patched, json.Unmarshal(after, patched)
}

// holds is the judge of foreign data: undone to, it gives the template, by the equality that the API server uses when it
// counts template generations.
func holds(data []byte, template *corev1.PodTemplateSpec) bool {
	patched, err := undo(&corev1.PodTemplateSpec{}, data)
	return err == nil && equality.Semantic.DeepEqual(&patched.Spec.Template, template)
}

func dataOf(t *testing.T, template *corev1.PodTemplateSpec) []byte {
	t.Helper()
	data, err := Data(template)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func stored(data []byte) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: data}}
}

const (
	smallTemplate = `{"metadata":{"labels":{"app":"d"}},"spec":{"containers":[{"name":"c","image":"v1"}]}}`
	largeTemplate = `{"metadata":{"labels":{"app":"d"},"annotations":{"$patch":"delete","a":"\u003c&"},"creationTimestamp":null},"spec":{` +
		`"volumes":[{"name":"v","csi":{"driver":"x","volumeAttributes":{"$patch":"replace","$retainKeys":"a"}}},{"name":"h","hostPath":{"path":"/"}}],` +
		`"initContainers":[{"name":"i","image":"i","restartPolicy":"Always","env":[{"name":"A","value":""}]}],` +
		`"containers":[{"name":"c","image":"v1","resources":{"requests":{"cpu":"1000m","memory":"1024"},"limits":{"memory":"1Ki"}},` +
		`"ports":[{"containerPort":80,"hostPort":80}],"livenessProbe":{"httpGet":{"port":"http"}}}],"terminationGracePeriodSeconds":9007199254740993,` +
		`"nodeSelector":{"z":"1","a":""},"hostNetwork":true,"tolerations":[{"operator":"Exists","tolerationSeconds":0}],"affinity":{"nodeAffinity":` +
		`{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}]}}}}}`
)

// FuzzData: the data of one template puts it back in place of any other and touches nothing else, and two templates have
// the same data exactly when they mean the same.
func FuzzData(f *testing.F) {
	f.Add(smallTemplate, largeTemplate)
	f.Add(largeTemplate, smallTemplate)
	f.Fuzz(func(t *testing.T, textA, textB string) {
		a, okA := templateFrom(textA)
		b, okB := templateFrom(textB)
		if !okA || !okB {
			t.Skip("no template")
		}
		before := a.DeepCopy()
		dataA, dataB := dataOf(t, a), dataOf(t, b)
		if !equality.Semantic.DeepEqual(before, a) || !bytes.Equal(dataOf(t, before), dataA) {
			t.Fatalf("Data changes the template, or is not always the same: %s", dataA)
		}
		restored, err := undo(b, dataA)
		if err != nil {
			t.Fatalf("%s is no patch: %v", dataA, err)
		}
		if !equality.Semantic.DeepEqual(&restored.Spec.Template, a) || !bytes.Equal(dataOf(t, &restored.Spec.Template), dataA) {
			t.Fatalf("undone to %s, got %s", dataA, dataOf(t, &restored.Spec.Template))
		}
		restored.Spec.Template = daemonSet("v0", 3).Spec.Template
		if !equality.Semantic.DeepEqual(restored, daemonSet("v0", 3)) {
			t.Fatalf("more than the template is undone: %+v", restored)
		}

		same := bytes.Equal(dataA, dataB)
		if same && !equality.Semantic.DeepEqual(a, b) {
			t.Fatalf("two templates, one data: %s", dataA)
		}
		if !same && equality.Semantic.DeepEqual(a, b) && plain(dataA) && plain(dataB) {
			t.Fatalf("one template, two data: %s, %s", dataA, dataB)
		}
		if sameMeaning(stored(dataA), dataB) != same || sameMeaning(stored(dataB), dataA) != same || !sameMeaning(stored(dataA), dataA) {
			t.Fatalf("equal bytes %v, equal meaning %v and %v, each with itself %v: %s, %s", same, sameMeaning(stored(dataA), dataB),
				sameMeaning(stored(dataB), dataA), sameMeaning(stored(dataA), dataA), dataA, dataB)
		}
	})
}

// plain leaves out what is equal without having equal bytes, as upstream's data has it too: 1024 and 1Ki; required lists
// that are absent or empty, which the API server refuses.
func plain(data []byte) bool {
	for _, part := range []string{`"requests":`, `"limits":`, `"overhead":`, `"sizeLimit":`, `"divisor":`, "null", "[]"} {
		if bytes.Contains(data, []byte(part)) {
			return false
		}
	}
	return true
}

// FuzzForeign: data that somebody else wrote never counts as a template that it does not give back.
func FuzzForeign(f *testing.F) {
	replace := `{"spec":{"template":{"$patch":"replace",`
	f.Add([]byte(replace+smallTemplate[1:]+`}}`), smallTemplate)
	f.Add([]byte(replace+largeTemplate[1:]+`}}`), largeTemplate)
	f.Add([]byte(`{"spec":{"template":`+largeTemplate+`}}`), largeTemplate)
	f.Add([]byte(`{"spec":{"template":null}}`), `{}`)
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		template, ok := templateFrom(text)
		if !ok {
			t.Skip("no template")
		}
		if slow.Match(raw) {
			t.Skip("long numbers take long")
		}
		data := dataOf(t, template)
		before := bytes.Clone(raw)
		same := sameMeaning(stored(raw), data)
		if !bytes.Equal(raw, before) {
			t.Fatal("the data is modified")
		}
		if same && !holds(raw, template) {
			t.Fatalf("%s is said to hold %s", raw, data)
		}
		// The rest of Collide's answer is whose the revision is.
		ds := daemonSet("v0", 1)
		ds.Spec.Template = *template
		wanted, err := New(ds, 2)
		if err != nil {
			t.Fatal(err)
		}
		existing := wanted.DeepCopy()
		existing.Labels, existing.Data.Raw = map[string]string{"app": "d"}, raw
		want := Collision
		if same || bytes.Equal(raw, data) {
			want = UseExisting
		}
		if got := Collide(ds, existing, wanted); got != want {
			t.Fatalf("%s: %v, want %v", raw, got, want)
		}
	})
}

// FuzzHash: the same template has the same name however it came, and a collision leads to another.
func FuzzHash(f *testing.F) {
	f.Add(smallTemplate, largeTemplate, int32(0))
	f.Add(largeTemplate, `{}`, int32(254))
	f.Fuzz(func(t *testing.T, textA, textB string, count int32) {
		a, okA := templateFrom(textA)
		b, okB := templateFrom(textB)
		if !okA || !okB {
			t.Skip("no template")
		}
		restored, err := undo(b, dataOf(t, a))
		if err != nil {
			t.Fatal(err)
		}
		hash := Hash(a, &count)
		if again, sent := Hash(a.DeepCopy(), ptr.To(count)), Hash(&restored.Spec.Template, &count); hash != again || hash != sent {
			t.Fatalf("one template has the hashes %s, %s and %s: %s", hash, again, sent, dataOf(t, a))
		}
		if other := Hash(b, &count); other == hash && !equality.Semantic.DeepEqual(a, b) {
			t.Fatalf("two templates have the hash %s", hash)
		}
		// FNV is a bijection for the last byte that differs, so no two counts that differ in one byte only can collide.
		if next := count ^ 1; Hash(a, &next) == hash {
			t.Fatalf("collisions %d and %d have the hash %s", count, next, hash)
		}
		if Hash(a, nil) == hash {
			t.Fatalf("collision %d has the hash %s of none", count, hash)
		}
		if errs := validation.IsValidLabelValue(hash); len(errs) > 0 || strings.ToLower(hash) != hash {
			t.Fatalf("hash %q: %v", hash, errs)
		}
	})
}

// FuzzReconcile: whatever one odd revision holds, the history settles on a revision that holds the template, or that
// the template generation vouches for.
func FuzzReconcile(f *testing.F) {
	f.Add([]byte(`{}`), smallTemplate, int64(1), "1", "1", "1", "u1", "h")
	f.Add([]byte(`{"spec":{"template":{"$patch":"replace",`+smallTemplate[1:]+`}}`), smallTemplate, int64(7), "2", "1", "", "", "")
	f.Add([]byte(`null`), smallTemplate, int64(3), "2", "-1", "u9", "u1", "h")
	f.Fuzz(func(t *testing.T, raw []byte, text string, number int64, generation, stamped, of, owner, hash string) {
		template, ok := templateFrom(text)
		if !ok || number < 0 || slow.Match(raw) {
			t.Skip("the API server refuses it")
		}
		ds := daemonSet("v0", 1)
		ds.Spec.Template = *template
		ds.Spec.Template.Labels = map[string]string{"app": "d"} // as the selector wants it
		ds.Annotations[appsv1.DeprecatedTemplateGeneration] = generation
		odd := stored(raw)
		odd.Name, odd.Namespace, odd.Revision, odd.CreationTimestamp = "odd", ds.Namespace, number, ds.CreationTimestamp
		odd.Labels = map[string]string{"app": "d", appsv1.DefaultDaemonSetUniqueLabelKey: hash}
		odd.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: stamped}
		if of != "" {
			odd.Annotations[GenerationOf] = of
		}
		if owner != "" {
			odd.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(ds, daemonSetKind)}
			odd.OwnerReferences[0].UID = types.UID(owner)
		}
		w := &world{ds: ds, list: []*appsv1.ControllerRevision{odd}}
		for round := 0; ; round++ {
			h, err := Reconcile(ds, w.list, "")
			if err != nil {
				t.Fatal(err)
			}
			checkCurrent(t, w, h) // in each round: what is picked wrongly is stamped, and looks right from then on
			if len(h.Changes) == 0 {
				if h.Current == nil {
					t.Fatalf("no current revision: %s", show(h))
				}
				return
			}
			if round == 3 {
				t.Fatalf("not settled: %s", show(h))
			}
			for _, c := range h.Changes {
				if c.Revision.Revision < 0 {
					t.Fatalf("%s gives the number %d, which the API server refuses", c.Kind, c.Revision.Revision)
				}
			}
			w.write(h)
		}
	})
}

func checkCurrent(t *testing.T, w *world, h History) {
	t.Helper()
	if h.Current == nil {
		return
	}
	if HashOf(h.Current) != h.Hash {
		t.Fatalf("the hash of %s is %q: %s", h.Current.Name, HashOf(h.Current), show(h))
	}
	proven, known := templateGeneration(h.Current.Annotations)
	now, counted := templateGeneration(w.ds.Annotations)
	of, marked := h.Current.Annotations[GenerationOf]
	vouched := known && counted && proven == now && (!marked || of == string(w.ds.UID))
	if !vouched && !holds(h.Current.Data.Raw, &w.ds.Spec.Template) {
		t.Fatalf("%s is current and holds %s: %s", h.Current.Name, h.Current.Data.Raw, show(h))
	}
	for _, old := range h.Old {
		if len(h.Changes) == 0 && old.Revision > h.Current.Revision {
			t.Fatalf("%s has the number %d, the current one %d", old.Name, old.Revision, h.Current.Revision)
		}
	}
}
