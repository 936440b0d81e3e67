package explain

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

func TestDirectPlacement(t *testing.T) { scripts(t, "direct", "--nodes", "0") }

func TestSchedulerPlacement(t *testing.T) {
	scripts(t, "scheduler", "--nodes", "0", "--placement", "scheduler")
}

func TestNoController(t *testing.T) { scripts(t, "alone", "--nodes", "0", "--controller=false") }

// scripts runs the scripts of a directory against a lab of their own. Each has its namespace and its nodes.
func scripts(t *testing.T, dir string, flags ...string) {
	if testing.Short() {
		t.Skip("needs a running everynode")
	}
	lab := harness.Up(t, flags...)
	// A group: its parallel scripts have ended when it returns, and only then is the lab stopped.
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir:                 filepath.Join("testdata", dir),
			RequireExplicitExec: true,
			RequireUniqueNames:  true,
			Setup:               func(env *testscript.Env) error { return setUp(t, lab, env) },
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"kubectl":   kubectl,
				"until":     until,
				"node":      node,
				"daemon":    func(ts *testscript.TestScript, neg bool, args []string) { daemon(ts, lab, neg, args) },
				"pod":       func(ts *testscript.TestScript, neg bool, args []string) { pod(ts, lab, neg, args) },
				"webhook":   func(ts *testscript.TestScript, neg bool, args []string) { webhook(ts, lab, neg, args) },
				"pod-of":    podOf,
				"why":       why,
				"everynode": everynode,
			},
		})
	})
}

// setUp gives the script a namespace. Its nodes are named and labelled after it too.
func setUp(t *testing.T, lab *harness.Lab, env *testscript.Env) error {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"case": name}}}
	if _, err := lab.Client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("KUBECONFIG", lab.Kubeconfig)
	env.Setenv("NAMESPACE", name)
	env.Setenv("EVERYNODE", harness.Binary(t))
	return nil
}
