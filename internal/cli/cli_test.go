package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/everynode/everynode/internal/snapshot"
)

// run executes a command line and gives what a person sees.
func run(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	var out, talk bytes.Buffer
	env := Env{Streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &talk}, Program: "everynode"}
	for _, cmd := range Commands(env) {
		if cmd.Name() != args[0] {
			continue
		}
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args[1:])
		if err := cmd.Execute(); err != nil {
			Print(&talk, err)
		}
	}
	return out.String(), talk.String()
}

// file is a snapshot of DaemonSets exporter in namespaces a and b, and logger in b, with nodes node-1 and node-2.
func file(t *testing.T) string {
	t.Helper()
	s := &snapshot.Snapshot{Taken: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Missing: []snapshot.Missing{{Verb: "list", Resource: "events", Why: "Forbidden", Effect: "what the controller said"}}}
	for _, name := range []string{"node-1", "node-2"} {
		if err := s.AddNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "1"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a/exporter", "b/exporter", "b/logger"} {
		namespace, name, _ := strings.Cut(key, "/")
		labels := map[string]string{"app": name}
		s.AddDaemonSet(&appsv1.DaemonSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(key), ResourceVersion: "1", Labels: labels},
			Spec:       appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}},
		})
	}
	path := filepath.Join(t.TempDir(), "cluster.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := snapshot.Write(f, s); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatAPersonSees(t *testing.T) {
	const note = "note: may not list events in all namespaces; not known: what the controller said\n"
	path := file(t)
	for name, c := range map[string]struct{ args, stdout, stderr string }{
		"a name in two namespaces": {
			"explain exporter --snapshot FILE", "",
			note + "error: DaemonSet exporter is there 2 times\n  it has that name in several namespaces\n  choose: -n a\n  choose: -n b\n",
		},
		"a name that is nearly right": {
			"explain -n b loger --snapshot FILE", "",
			note + "error: there is no DaemonSet loger in namespace b\n  did you mean: logger\n",
		},
		"another namespace": {
			"explain -n a logger --snapshot FILE", "",
			note + "error: there is no DaemonSet logger in namespace a\n  it is in another namespace: -n b\n",
		},
		"a node that is nearly right": {
			"explain ds/logger node-3 --snapshot FILE", "",
			note + "error: there is no node node-3\n  did you mean: node-1, node-2\n  see which there are: kubectl get nodes\n",
		},
		"each node in a line": {"explain b/logger -o wide --snapshot FILE", "NODE     ANSWER       REASON         POD   WAIT   DETAIL\n" +
			"node-1   should run   NoController   -     -      nothing was written yet that tells\nnode-2   should run   NoController   -     -      nothing was written yet that tells\n", note},
		"names only": {"explain b/logger -o name --snapshot FILE", "node/node-1\nnode/node-2\n", note},
		"chosen by label": {
			"explain -l app=logger -o name --snapshot FILE", "daemonset.apps/logger\n", note,
		},
		"an output that is not there": {"explain -o xml", "", "error: -o xml is unknown\n  use one of: json, yaml, wide, name\n"},
		"a name and -A":               {"explain -A x", "", "error: -A is for all DaemonSets, and one is named\n  leave -A out, or the name\n"},
		"a reason that is nearly right": {
			"explain logger --reason Noroom2 --snapshot FILE", "", "error: --reason=Noroom2 is unknown\n  did you mean: NoRoom\n  there are: " + strings.Join(codes(), ", ") + "\n",
		},
		"no file": {
			"explain --snapshot /nowhere/x", "",
			"error: --snapshot=/nowhere/x cannot be opened\n  open /nowhere/x: no such file or directory\n  make one: everynode snapshot > FILE\n",
		},
		"an empty file": {
			"explain --snapshot -", "",
			"error: --snapshot=- cannot be read\n  line 1: the file is empty\n  make a new one: everynode snapshot > FILE\n",
		},
		"no cluster": {
			"snapshot", "",
			"error: no cluster to ask\n  there is no kubeconfig\n  name one:     --kubeconfig FILE, or export KUBECONFIG=FILE\n  start a lab:  everynode up\n  ask a file:   --snapshot FILE\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := run(t, strings.Fields(strings.ReplaceAll(c.args, "FILE", path))...)
			if diff := cmp.Diff(c.stdout, stdout); diff != "" {
				t.Errorf("stdout: %s", diff)
			}
			if diff := cmp.Diff(c.stderr, stderr); diff != "" {
				t.Errorf("stderr: %s", diff)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	path := file(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"DaemonSets of a namespace": {[]string{"explain", "-n", "b", "--snapshot", path, ""}, "exporter\nlogger\n:4\n"},
		"begun":                     {[]string{"explain", "--snapshot", path, "lo"}, "logger\n:4\n"},
		"then a node":               {[]string{"explain", "--snapshot", path, "logger", "n"}, "node-1\nnode-2\n:4\n"},
		"reasons":                   {[]string{"explain", "x", "--reason", "Taint"}, "TaintNoExecute\nTaintNoSchedule\n:4\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			root := &cobra.Command{Use: "everynode"}
			root.AddCommand(Commands(Env{Program: "everynode"})...)
			root.SetOut(&out)
			root.SetArgs(append([]string{"__complete"}, c.args...))
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	among := []string{"node-001", "node-010", "node-100", "other", "exporter"}
	for name, want := range map[string][]string{
		"node-01": {"node-001", "node-010", "node-100"}, "exportr": {"exporter"}, "port": {"exporter"}, "zzzzzz": nil, "": nil,
	} {
		if diff := cmp.Diff(want, Nearest(name, among)); diff != "" {
			t.Errorf("%q: %s", name, diff)
		}
	}
}
