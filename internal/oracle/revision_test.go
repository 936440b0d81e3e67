package oracle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/revision"
)

// texts need escaping in JSON now and then.
var texts = rapid.OneOf(words, rapid.SampledFrom([]string{"<&>", "\u2028", "\"\\", "ü", "\x00"}), rapid.StringN(0, 8, -1))

var containers = rapid.Custom(func(t *rapid.T) corev1.Container {
	c := corev1.Container{
		Name: texts.Draw(t, "name"), Image: texts.Draw(t, "image"), Args: rapid.SliceOfN(texts, 0, 2).Draw(t, "args"),
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: *resource.NewMilliQuantity(rapid.Int64().Draw(t, "cpu"), resource.DecimalSI),
		}},
	}
	if rapid.Bool().Draw(t, "written") { // as a person would, not in the canonical form
		c.Resources.Requests[corev1.ResourceMemory] = resource.MustParse(
			rapid.SampledFrom([]string{"1000m", "0.5Gi", "1e3", "1.5E", "1024Ki", "100u"}).Draw(t, "memory"))
	}
	if rapid.Bool().Draw(t, "probe") {
		port := intstr.FromString(texts.Draw(t, "port"))
		if rapid.Bool().Draw(t, "number") {
			port = intstr.FromInt32(rapid.Int32().Draw(t, "port number"))
		}
		c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port}}}
	}
	return c
})

var templates = rapid.Custom(func(t *rapid.T) *corev1.PodTemplateSpec {
	out := &corev1.PodTemplateSpec{Spec: *specs.Draw(t, "spec")}
	out.Name = rapid.SampledFrom([]string{"", "", "x"}).Draw(t, "name")
	out.Labels = rapid.MapOfN(texts, texts, 0, 3).Draw(t, "labels")
	out.Annotations = rapid.MapOfN(texts, texts, 0, 3).Draw(t, "annotations")
	out.Spec.Containers = rapid.SliceOfN(containers, 0, 2).Draw(t, "containers")
	if rapid.Bool().Draw(t, "grace") {
		out.Spec.TerminationGracePeriodSeconds = ptr.To(rapid.Int64().Draw(t, "seconds"))
	}
	if rapid.Bool().Draw(t, "no labels") {
		out.Labels = nil
	}
	return out
})

var daemonSets = rapid.Custom(func(t *rapid.T) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "d", Namespace: "ns", UID: "u1"}}
	ds.Annotations = rapid.MapOfN(texts, texts, 0, 3).Draw(t, "annotations of the set")
	ds.Spec.Template = *templates.Draw(t, "template")
	ds.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "d"}}
	ds.Spec.MinReadySeconds = rapid.Int32().Draw(t, "minReadySeconds")
	if rapid.Bool().Draw(t, "collided") {
		ds.Status.CollisionCount = ptr.To(rapid.Int32().Draw(t, "collisionCount"))
	}
	return ds
})

// U189.
func TestHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := daemonSets.Draw(t, "daemonset")
		got, want := revision.Hash(&ds.Spec.Template, ds.Status.CollisionCount), controller.ComputeHash(&ds.Spec.Template, ds.Status.CollisionCount)
		if got != want {
			t.Fatalf("got %s, upstream %s", got, want)
		}
	})
}

// U186, U500: upstream's Match takes nothing but its own bytes.
func TestData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := daemonSets.Draw(t, "daemonset")
		before := ds.DeepCopy()
		data, err := revision.Data(&ds.Spec.Template)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := daemon.Match(ds, &appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: data}}); err != nil || !same {
			t.Fatalf("upstream does not recognise %s (%v)", data, err)
		}
		if diff := cmp.Diff(before, ds); diff != "" {
			t.Fatalf("input modified: %s", diff)
		}
	})
}
