package feed

import (
	"bytes"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/match"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// codec encodes as the API server does, and decodes as a client does, with and without a sieve.
type codec struct {
	runtime.Encoder
	whole, sifted runtime.Decoder
}

func newCodec(t testing.TB) codec {
	plain := rest.CodecFactoryForGeneratedClient(scheme.Scheme, scheme.Codecs).WithoutConversion()
	info, ok := runtime.SerializerInfoForMediaType(plain.SupportedMediaTypes(), protobuf)
	if !ok {
		t.Fatal("no protobuf")
	}
	v := schema.GroupVersions{corev1.SchemeGroupVersion}
	return codec{plain.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion), plain.DecoderToVersion(info.Serializer, v), newSifting(plain).DecoderToVersion(info.Serializer, v)}
}

// both decodes an object whole and through a sieve.
func (c codec) both(t testing.TB, o runtime.Object) (whole, sifted runtime.Object) {
	var wire bytes.Buffer
	must(t, c.Encode(o, &wire))
	whole, _, err := c.whole.Decode(wire.Bytes(), nil, nil)
	must(t, err)
	sifted, _, err = c.sifted.Decode(wire.Bytes(), nil, nil)
	must(t, err)
	return whole, sifted
}

// TestASieveLosesNoFact: of any Pod or Node, whatever fields it has, the same facts are read through the sieve as from the whole.
func TestASieveLosesNoFact(t *testing.T) {
	c, fill := newCodec(t), fuzzer.FuzzerFor(fuzzer.MergeFuzzerFuncs(), rand.NewSource(1), serializer.NewCodecFactory(scheme.Scheme))
	fewer := 0
	for range 3000 {
		pod, node := &corev1.Pod{}, &corev1.Node{}
		fill.Fill(pod)
		fill.Fill(node)
		whole, sifted := c.both(t, pod)
		want, got := whole.(*corev1.Pod), sifted.(*corev1.Pod)
		targetA, _ := match.Target(&want.Spec)
		targetB, _ := match.Target(&got.Spec)
		if a, b := fleet.NewPod(want, 7, targetA), fleet.NewPod(got, 7, targetB); !reflect.DeepEqual(a, b) || targetA != targetB {
			t.Fatalf("the facts of\n%v\nare\n%+v\nand through the sieve\n%+v", want, a, b)
		}
		if want.ResourceVersion != got.ResourceVersion || !reflect.DeepEqual(want.Annotations, got.Annotations) {
			t.Fatalf("what a reflector reads of %v is %v", want.ObjectMeta, got.ObjectMeta)
		}
		if len(got.Spec.Volumes) < len(want.Spec.Volumes) {
			fewer++
		}
		wholeNode, siftedNode := c.both(t, node)
		if a, b := fleet.NewNode(wholeNode.(*corev1.Node), 7), fleet.NewNode(siftedNode.(*corev1.Node), 7); !reflect.DeepEqual(a, b) {
			t.Fatalf("the facts of\n%v\nare\n%+v\nand through the sieve\n%+v", wholeNode, a, b)
		}
	}
	if fewer == 0 {
		t.Error("nothing was ever cut out")
	}
}

func TestAListGoesThroughTheSieve(t *testing.T) {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", ResourceVersion: "7"}, Spec: corev1.PodSpec{NodeName: "n", ServiceAccountName: "cut"}}
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "9", Continue: "next"}, Items: []corev1.Pod{pod, pod}}
	_, sifted := newCodec(t).both(t, list)
	got := sifted.(*corev1.PodList)
	if got.ResourceVersion != "9" || got.Continue != "next" || len(got.Items) != 2 || got.Items[1].Spec.NodeName != "n" || got.Items[1].Spec.ServiceAccountName != "" {
		t.Errorf("%+v", got)
	}
}

// What has no sieve, or is no protobuf, is decoded as it is.
func TestEverythingElseIsDecodedWhole(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "s", Finalizers: []string{"f"}}}
	if whole, sifted := newCodec(t).both(t, service); !reflect.DeepEqual(whole, sifted) || sifted.(*corev1.Service).Finalizers[0] != "f" {
		t.Errorf("%v", sifted)
	}
	for _, broken := range [][]byte{nil, []byte("k8s\x00"), []byte("k8s\x00\x0a\xff"), []byte(`{"kind":"Pod"}`), append([]byte("k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod"), 0x12, 0x7f)} {
		if _, ok := sift(nil, broken); ok && len(broken) > 20 {
			t.Errorf("%q passes", broken)
		}
	}
}

// FuzzSieve: no bytes make a sieve fail otherwise than by saying so, and what it leaves it leaves alone.
func FuzzSieve(f *testing.F) {
	c := newCodec(f)
	var wire bytes.Buffer
	must(f, c.Encode(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "c", Image: "i"}}}}, &wire))
	f.Add(wire.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		once, ok := sift(nil, data)
		if !ok {
			t.Skip("decoded whole")
		}
		twice, ok := sift(nil, once)
		if !ok || !bytes.Equal(once, twice) {
			t.Fatalf("%q is sifted to %q, and that to %q", data, once, twice)
		}
		whole, _, err := c.whole.Decode(data, nil, nil)
		if err != nil {
			t.Skip("no object")
		}
		sifted, _, err := c.sifted.Decode(data, nil, nil)
		if pod, ok := whole.(*corev1.Pod); ok && (err != nil || !reflect.DeepEqual(fleet.NewPod(pod, 1, ""), fleet.NewPod(sifted.(*corev1.Pod), 1, ""))) {
			t.Fatalf("%v: %v is read as %v", err, pod, sifted)
		}
	})
}

// BenchmarkDecodePod compares what a watch event costs with and without the sieve.
func BenchmarkDecodePod(b *testing.B) {
	c := newCodec(b)
	var wire bytes.Buffer
	must(b, c.Encode(daemonPod(), &wire))
	for name, d := range map[string]runtime.Decoder{"whole": c.whole, "sifted": c.sifted} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := d.Decode(wire.Bytes(), nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// daemonPod is a Pod as daemons have them.
func daemonPod() *corev1.Pod {
	controller, at := true, metav1.Now()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: "node-exporter-4v9xk2m7pq", GenerateName: "node-exporter-", Namespace: "monitoring", UID: "9c1f6d5e-8b7a-4f0e-9d7e-1a2b3c4d5e6f", ResourceVersion: "123456789", CreationTimestamp: at,
		Labels:          map[string]string{"app": "node-exporter", "controller-revision-hash": "6ddf5547ff", "pod-template-generation": "3"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: "node-exporter", UID: "0d2f5a5c-1b1a-4c53-9f36-0c2e6a9d2f11", Controller: &controller}},
		ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "everynode", FieldsV1: metav1.NewFieldsV1(strings.Repeat("x", 700))}, {Manager: "kubelet", FieldsV1: metav1.NewFieldsV1(strings.Repeat("y", 900))}},
	}}
	pod.Spec = corev1.PodSpec{
		NodeName: "ip-10-0-0-1.internal", ServiceAccountName: "node-exporter", SchedulerName: "default-scheduler",
		Volumes: []corev1.Volume{{Name: "proc", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/proc"}}}, {Name: "kube-api-access-x8zlq"}},
		Containers: []corev1.Container{{
			Name: "node-exporter", Image: "quay.io/prometheus/node-exporter:v1.9.1", Args: []string{"--path.procfs=/host/proc", "--path.sysfs=/host/sys"},
			VolumeMounts: []corev1.VolumeMount{{Name: "proc", MountPath: "/host/proc"}, {Name: "kube-api-access-x8zlq", MountPath: "/var/run/secrets"}},
			Resources:    corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("112m"), "memory": resource.MustParse("200Mi")}},
		}},
		Tolerations: make([]corev1.Toleration, 6),
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, HostIP: "10.0.0.1", ContainerStatuses: []corev1.ContainerStatus{{Name: "node-exporter", Image: "quay.io/prometheus/node-exporter:v1.9.1", ContainerID: "containerd://0123456789abcdef"}}}
	for _, kind := range []corev1.PodConditionType{"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: at})
	}
	return pod
}

// An event of a watch holds what the sieve leaves of a Pod, and all of what has no sieve.
func TestEventsAreSifted(t *testing.T) {
	c := newCodec(t)
	stream := func(s runtime.NegotiatedSerializer) runtime.Serializer {
		info, _ := runtime.SerializerInfoForMediaType(s.SupportedMediaTypes(), protobuf)
		return info.StreamSerializer.Serializer
	}
	plain := rest.CodecFactoryForGeneratedClient(scheme.Scheme, scheme.Codecs).WithoutConversion()
	for _, o := range []runtime.Object{daemonPod(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "s", Finalizers: []string{"f"}}}} {
		var object, wire bytes.Buffer
		must(t, c.Encode(o, &object))
		must(t, stream(plain).Encode(&metav1.WatchEvent{Type: "ADDED", Object: runtime.RawExtension{Raw: object.Bytes()}}, &wire))
		got := &metav1.WatchEvent{}
		_, _, err := stream(newSifting(plain)).Decode(wire.Bytes(), nil, got)
		must(t, err)
		want := object.Bytes()
		if sifted, ok := sift(nil, want); ok {
			want = sifted
		}
		if got.Type != "ADDED" || !bytes.Equal(got.Object.Raw, want) {
			t.Errorf("%s: %d bytes are left of %d, want %d", got.Type, len(got.Object.Raw), object.Len(), len(want))
		}
	}
}
