package kubectl

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

// untilLimit is how long a script waits for something to become true on a busy machine.
const untilLimit = 60 * time.Second

func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a running everynode")
	}
	lab := harness.Up(t, "--nodes", "4")
	// A group: its parallel scripts have ended when it returns, and only then is the lab stopped.
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir:                 "testdata",
			RequireExplicitExec: true,
			RequireUniqueNames:  true,
			Setup:               func(env *testscript.Env) error { return setUp(t, lab, env) },
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"kubectl": kubectl,
				"until":   until,
				"has-all": hasAll,
			},
		})
	})
}

// setUp gives the script a namespace of its own.
func setUp(t *testing.T, lab *harness.Lab, env *testscript.Env) error {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := lab.Client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("KUBECONFIG", lab.Kubeconfig)
	env.Setenv("NAMESPACE", name)
	env.Setenv("EVERYNODE", harness.Binary(t))
	return nil
}

func kubectl(ts *testscript.TestScript, neg bool, args []string) {
	err := run(ts, args)
	switch {
	case err != nil && !neg:
		ts.Fatalf("kubectl failed: %v", err)
	case err == nil && neg:
		ts.Fatalf("kubectl succeeded; it should have failed")
	}
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until <pattern> <kubectl arguments>")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(untilLimit); ; time.Sleep(100 * time.Millisecond) {
		err := run(ts, args[1:])
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("after %s no match for %q in (error %v)\n%s", untilLimit, args[0], err, out)
		}
	}
}

func hasAll(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: has-all <file>")
	}
	words := strings.Fields(ts.ReadFile(args[0]))
	if len(words) == 0 {
		ts.Fatalf("%s is empty: nothing to look for", args[0])
	}
	out := ts.ReadFile("stdout")
	for _, word := range words {
		if !strings.Contains(out, word) {
			ts.Fatalf("stdout has no %s:\n%s", word, out)
		}
	}
}

func run(ts *testscript.TestScript, args []string) error {
	namespace := fmt.Sprintf("--namespace=%s", ts.Getenv("NAMESPACE"))
	return ts.Exec(ts.Getenv("EVERYNODE"), append([]string{"kubectl", namespace}, args...)...)
}
