package explain

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/everynode/everynode/internal/explain"
)

// limit is how long a script waits for something to become true on a busy machine.
const limit = 120 * time.Second

func run(ts *testscript.TestScript, neg bool, args ...string) {
	err := ts.Exec(ts.Getenv("EVERYNODE"), args...)
	switch {
	case err != nil && !neg:
		ts.Fatalf("everynode %s: %v", strings.Join(args, " "), err)
	case err == nil && neg:
		ts.Fatalf("everynode %s succeeded; it should have failed", strings.Join(args, " "))
	}
}

// everynode ARGS... is the binary, in the script's namespace.
func everynode(ts *testscript.TestScript, neg bool, args []string) {
	run(ts, neg, append(args, "--namespace="+ts.Getenv("NAMESPACE"))...)
}

func kubectl(ts *testscript.TestScript, neg bool, args []string) {
	run(ts, neg, append([]string{"kubectl", "--namespace=" + ts.Getenv("NAMESPACE")}, args...)...)
}

// node N [FLAG...] adds simulated nodes, called after the script and the number, with a label case=SCRIPT.
func node(ts *testscript.TestScript, neg bool, args []string) {
	name := ts.Getenv("NAMESPACE")
	run(ts, neg, append([]string{"node", "add", args[0], "--prefix", name + "-", "--label", "case=" + name}, args[1:]...)...)
}

// until PATTERN KUBECTL-ARGS... waits.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN KUBECTL-ARGUMENTS")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	eventually(ts, func() (string, bool) {
		err := ts.Exec(ts.Getenv("EVERYNODE"), append([]string{"kubectl", "--namespace=" + ts.Getenv("NAMESPACE")}, args[1:]...)...)
		out := ts.ReadFile("stdout")
		return out, err == nil && pattern.MatchString(out)
	})
}

// why CODE ANSWER DETAIL DAEMONSET NODE waits until explain gives that reason, and then gives the text as stdout.
func why(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: why CODE ANSWER DETAIL DAEMONSET NODE")
	}
	detail, same := regexp.MustCompile(args[2]), regexp.MustCompile(`(?m)^  Reason +`+args[0]+`\b`)
	ask := []string{"explain", "-n", ts.Getenv("NAMESPACE"), args[3], args[4]}
	eventually(ts, func() (string, bool) {
		var n explain.Node
		err := ts.Exec(ts.Getenv("EVERYNODE"), append(ask, "-o", "json")...)
		out := ts.ReadFile("stdout")
		if err != nil || json.Unmarshal([]byte(out), &n) != nil {
			return ts.ReadFile("stderr"), false
		}
		if string(n.Reason.Code) != args[0] || string(n.Answer) != args[1] || !detail.MatchString(n.Reason.Detail) {
			return out, false
		}
		run(ts, false, ask...)
		out = ts.ReadFile("stdout")
		return out, same.MatchString(out) // else things went on meanwhile
	})
}

// pod-of VAR NODE puts the name of the daemon's Pod on a node into $VAR.
func podOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pod-of VAR NODE")
	}
	eventually(ts, func() (string, bool) {
		err := ts.Exec(ts.Getenv("EVERYNODE"), "kubectl", "--namespace="+ts.Getenv("NAMESPACE"), "get", "pods",
			"--field-selector=spec.nodeName="+args[1], "-o", "jsonpath={.items[0].metadata.name}")
		out := strings.TrimSpace(ts.ReadFile("stdout"))
		ts.Setenv(args[0], out)
		return out, err == nil && out != ""
	})
}

// eventually asks again until the answer is right.
func eventually(ts *testscript.TestScript, ask func() (got string, ok bool)) {
	for deadline := time.Now().Add(limit); ; time.Sleep(250 * time.Millisecond) {
		got, ok := ask()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("after %s it is still:\n%s", limit, got)
		}
	}
}
