package revision

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

func template() *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "d", "a<b": "&"}},
		Spec: corev1.PodSpec{
			HostNetwork:                   true,
			NodeSelector:                  map[string]string{"z": "1", "a": "2"},
			TerminationGracePeriodSeconds: ptr.To(int64(9007199254740993)), // a float64 cannot hold it
			Containers: []corev1.Container{{
				Name: "c", Image: "v1",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000m")}},
			}},
		},
	}
}

// The bytes that upstream's own code gives; the oracle compares many more.
const golden = `{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a\u003cb":"\u0026","app":"d"}},"spec":{` +
	`"containers":[{"image":"v1","name":"c","resources":{"requests":{"cpu":"1"}}}],"hostNetwork":true,` +
	`"nodeSelector":{"a":"2","z":"1"},"terminationGracePeriodSeconds":9007199254740993}}}}`

func TestData(t *testing.T) {
	got, err := Data(template())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(golden, string(got)); diff != "" {
		t.Error(diff)
	}
}

// A new Kubernetes release may change these: the hash covers the Go type (U189).
func TestHash(t *testing.T) {
	for _, test := range []struct {
		collisions *int32
		want       string
	}{{nil, "7546c5f467"}, {ptr.To(int32(0)), "cd4f4c6cf"}, {ptr.To(int32(1)), "794f656586"}} {
		if got := Hash(template(), test.collisions); got != test.want {
			t.Errorf("collisions %v: %s, want %s", ptr.Deref(test.collisions, -1), got, test.want)
		}
	}
	if got, want := Hash(&corev1.PodTemplateSpec{}, nil), "54f4c57dcb"; got != want {
		t.Errorf("empty template: %s, want %s", got, want)
	}
}

func TestNew(t *testing.T) {
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: "d", Namespace: "ns", UID: "u1", Labels: map[string]string{"of": "the set"},
			Annotations: map[string]string{"kubernetes.io/change-cause": "test", appsv1.DeprecatedTemplateGeneration: "4"},
		},
		Spec: appsv1.DaemonSetSpec{Template: *template()},
	}
	before := ds.DeepCopy()
	got, err := New(ds, 7)
	if err != nil {
		t.Fatal(err)
	}
	hash := Hash(template(), nil)
	want := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: "d-" + hash, Namespace: "ns",
			Labels:      map[string]string{"app": "d", "a<b": "&", "controller-revision-hash": hash},
			Annotations: map[string]string{"kubernetes.io/change-cause": "test", "deprecated.daemonset.template.generation": "4"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "DaemonSet", Name: "d", UID: "u1", Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
			}},
		},
		Data:     runtime.RawExtension{Raw: []byte(golden)},
		Revision: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got.Labels["app"], got.Annotations["more"] = "x", "y"
	if diff := cmp.Diff(before, ds); diff != "" {
		t.Errorf("the DaemonSet shares with its revision: %s", diff)
	}
	if HashOf(got) != hash || HashOf(&appsv1.ControllerRevision{}) != "" {
		t.Errorf("HashOf reads %q and %q", HashOf(got), HashOf(&appsv1.ControllerRevision{}))
	}
}

func TestEmptySelectorIsRefused(t *testing.T) {
	for name, selector := range map[string]*metav1.LabelSelector{"absent": nil, "empty": {}} {
		ds := &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Selector: selector}}
		if h, err := Reconcile(ds, nil, ""); err == nil || err.Error() != "selector is empty" {
			t.Errorf("%s: got %v, %v", name, h, err)
		}
	}
}
