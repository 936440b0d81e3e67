package examples

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/component-helpers/resource"
)

const directory = "../../examples"

// decoder refuses fields that the API does not know and fields that occur twice.
var decoder = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// object is one document of a manifest.
type object struct {
	kind schema.GroupVersionKind
	runtime.Object
	meta metav1.Object
}

// load decodes every document of an example.
func load(t *testing.T, file string) []object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(directory, file))
	if err != nil {
		t.Fatal(err)
	}
	var objects []object
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		decoded, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v in\n%s", file, err, document)
		}
		meta, ok := decoded.(metav1.Object)
		if !ok {
			t.Fatalf("%s: a %s has no metadata", file, kind.Kind)
		}
		objects = append(objects, object{*kind, decoded, meta})
	}
	return objects
}

func files(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples in %s (error: %v)", directory, err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

// TestTableIsComplete finds an example without a row, a row without an example, and a DaemonSet in neither.
func TestTableIsComplete(t *testing.T) {
	want, got := map[string][]string{}, map[string][]string{}
	for file, daemons := range table {
		for _, d := range daemons {
			want[file] = append(want[file], d.String())
		}
	}
	for _, file := range files(t) {
		for _, o := range load(t, file) {
			if ds, ok := o.Object.(*appsv1.DaemonSet); ok {
				got[file] = append(got[file], ds.Namespace+"/"+ds.Name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DaemonSets in the table and in the files (-table +files):\n%s", diff)
	}
}

// row is a line of the table in examples/README.md; the file is empty where it is that of the line before.
var row = regexp.MustCompile("^\\| (?:\\[([a-z-]+\\.yaml)\\]\\([a-z-]+\\.yaml\\) )?\\| `([a-z0-9/-]+)` \\| ([^|]+) \\|")

// TestReadmeShowsTheTable keeps what people read equal to what is tested.
func TestReadmeShowsTheTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(directory, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want, got, file := map[string]string{}, map[string]string{}, ""
	for name, daemons := range table {
		for _, d := range daemons {
			want[name+" "+d.String()] = words(d.nodes)
		}
	}
	for _, line := range strings.Split(string(text), "\n") {
		if match := row.FindStringSubmatch(line); match != nil {
			if match[1] != "" {
				file = match[1]
			}
			got[file+" "+match[2]] = match[3]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes in the table and in examples/README.md (-table +README):\n%s", diff)
	}
}

// clusterScoped are the kinds in the examples that live in no namespace.
var clusterScoped = map[string]bool{"Namespace": true, "ClusterRole": true, "ClusterRoleBinding": true, "CSIDriver": true, "IngressClass": true}

// TestExamplesStandAlone checks that each file brings the namespaces and accounts that its objects need, and in an
// order in which an API server takes them.
func TestExamplesStandAlone(t *testing.T) {
	for _, file := range files(t) {
		namespaces := map[string]bool{"kube-system": true, "default": true}
		accounts := map[string]bool{}
		for _, o := range load(t, file) {
			switch o.Object.(type) {
			case *corev1.Namespace:
				namespaces[o.meta.GetName()] = true
			case *corev1.ServiceAccount:
				accounts[o.meta.GetNamespace()+"/"+o.meta.GetName()] = true
			}
			if !clusterScoped[o.kind.Kind] && !namespaces[o.meta.GetNamespace()] {
				t.Errorf("%s: %s %s is in namespace %q, which the file has not made before it", file, o.kind.Kind, o.meta.GetName(), o.meta.GetNamespace())
			}
			ds, ok := o.Object.(*appsv1.DaemonSet)
			if !ok {
				continue
			}
			if o.kind.GroupVersion().String() != "apps/v1" {
				t.Errorf("%s: DaemonSet %s is of %s, want apps/v1", file, ds.Name, o.kind.GroupVersion())
			}
			if account := ds.Spec.Template.Spec.ServiceAccountName; account != "" && !accounts[ds.Namespace+"/"+account] {
				t.Errorf("%s: DaemonSet %s uses account %q, which the file does not bring", file, ds.Name, account)
			}
		}
	}
}

// pinned is an image with registry, path and a tag that is no moving name.
var pinned = regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]+/[a-z0-9/._-]+:v?[a-z0-9][A-Za-z0-9._-]*$`)

// TestExamplesArePinnedAndSized checks images, requests, and that no example brings its own answer to what everynode
// decides.
func TestExamplesArePinnedAndSized(t *testing.T) {
	for _, file := range files(t) {
		for _, o := range load(t, file) {
			ds, ok := o.Object.(*appsv1.DaemonSet)
			if !ok {
				continue
			}
			spec := &ds.Spec.Template.Spec
			for _, c := range append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...) {
				if !pinned.MatchString(c.Image) || strings.HasSuffix(c.Image, ":latest") {
					t.Errorf("%s: image %q of %s is not registry/path:tag with a fixed tag", file, c.Image, c.Name)
				}
			}
			requests := resource.PodRequests(&corev1.Pod{Spec: *spec}, resource.PodResourcesOptions{})
			if requests.Cpu().IsZero() || requests.Memory().IsZero() {
				t.Errorf("%s: DaemonSet %s asks for cpu %s and memory %s: set both", file, ds.Name, requests.Cpu(), requests.Memory())
			}
			if spec.NodeName != "" {
				t.Errorf("%s: DaemonSet %s sets nodeName, which is everynode's to decide", file, ds.Name)
			}
		}
	}
}
