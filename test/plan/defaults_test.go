package plan

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/cli/manifest"
	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/test/harness"
)

// TestDefaults holds what is filled in for a snapshot to what a real API server fills in, for every example.
func TestDefaults(t *testing.T) {
	lab := harness.Up(t, "--nodes", "1", "--controller=false")
	list, _, err := manifest.Read(manifest.Source{Files: []string{filepath.Join(harness.Root(), "examples"), "testdata/all-fields.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 12 {
		t.Fatalf("only %d DaemonSets were found", len(list))
	}
	for _, m := range list {
		t.Run(m.DaemonSet.Name, func(t *testing.T) {
			want := m.DaemonSet.DeepCopy()
			want.Namespace = metav1.NamespaceDefault // the others do not exist here
			want, err := lab.Client.AppsV1().DaemonSets(want.Namespace).Create(t.Context(), want, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := preview.Applied(nil, m.JSON, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if !equality.Semantic.DeepEqual(want.Spec, got.Spec) {
				t.Errorf("%s (-server +here):\n%s", m.From, cmp.Diff(want.Spec, got.Spec))
			}
		})
	}
}
