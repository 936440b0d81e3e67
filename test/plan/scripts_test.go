package plan

import (
	"flag"
	"os"
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

var update = flag.Bool("update", false, "write what the commands print into the scripts")

// TestCommands runs testdata/scripts/*.txtar, each in a namespace of its own, against one lab of a dozen nodes.
func TestCommands(t *testing.T) {
	lab := harness.Up(t, "--nodes-file", filepath.Join(harness.Root(), "test/plan/testdata/nodes.yaml"))
	zonesOf(t, lab)
	// A group: its parallel scripts have ended when it returns, and only then is the lab stopped.
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir: "testdata/scripts", RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: *update,
			Setup: func(env *testscript.Env) error { return setUp(t, lab, env) },
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"everynode": everynode, "kubectl": kubectl, "until": until, "exits": exits, "tidy": tidy,
			},
		})
	})
}

func setUp(t *testing.T, lab *harness.Lab, env *testscript.Env) error {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	if _, err := lab.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("KUBECONFIG", lab.Kubeconfig)
	env.Setenv("NAMESPACE", name)
	env.Setenv("EVERYNODE", harness.Binary(t))
	if *planner != "" {
		env.Setenv("PLANNER", *planner)
	}
	return nil
}

func command(ts *testscript.TestScript, name string, args []string) error {
	binary := ts.Getenv("EVERYNODE")
	if other := ts.Getenv("PLANNER"); other != "" && name != "kubectl" {
		binary = other
	}
	if name == "kubectl" {
		args = append([]string{"kubectl"}, args...)
	}
	return ts.Exec(binary, append(args, "--namespace="+ts.Getenv("NAMESPACE"))...)
}

// everynode ARGS... runs the binary in the script's namespace.
func everynode(ts *testscript.TestScript, neg bool, args []string) {
	if err := command(ts, "everynode", args); (err == nil) == neg {
		ts.Fatalf("everynode %s: %v", strings.Join(args, " "), err)
	}
}

// kubectl ARGS... is the embedded one.
func kubectl(ts *testscript.TestScript, neg bool, args []string) {
	if err := command(ts, "kubectl", args); (err == nil) == neg {
		ts.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
	}
}

// exits CODE ARGS... runs the binary and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGUMENTS")
	}
	err, got := command(ts, "everynode", args[1:]), "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("everynode %s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// until PATTERN ARGS... repeats an everynode command until its output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN ARGUMENTS")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(250 * time.Millisecond) {
		_ = command(ts, "everynode", args[1:]) // a refusal is an answer that does not match
		out := ts.ReadFile("stdout")
		if pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("it is still:\n%s", out)
		}
	}
}

// measured are times and names that differ from run to run.
var measured = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`about \S+ \(estimate.*\)`), "about TIME (estimate)"},
	{regexp.MustCompile(`(?m)^(    (?: *\d+  )?)\+[0-9hms]+ +`), "$1+TIME "},
	{regexp.MustCompile(`(?m)  +\d+[smh]  +`), "  AGE  "},
	{regexp.MustCompile(`-[a-z0-9]{10}\b`), "-POD"},
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
}

// tidy writes the last stdout into the file got, without what is measured.
func tidy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: tidy")
	}
	got := strings.ReplaceAll(ts.ReadFile("stdout"), ts.Getenv("NAMESPACE")+"/", "NAMESPACE/")
	for _, m := range measured {
		got = m.pattern.ReplaceAllString(got, m.text)
	}
	ts.Check(os.WriteFile(ts.MkAbs("got"), []byte(got), 0o600))
}
