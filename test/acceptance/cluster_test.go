package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/everynode/everynode/test/harness"
)

// patience is how long a state may take to be reached on a machine that compiles at the same time. It is a guard.
const patience = 90 * time.Second

// lag is by how much a busy API server's watches may be behind its reads: what is to be known before a DaemonSet comes is waited for so long.
const lag = time.Second

// cluster is a running control plane with a witness of all its Pods.
type cluster struct {
	*harness.Lab
	seen *witness
}

// up starts a control plane and the witness.
func up(t *testing.T, flags ...string) *cluster {
	t.Helper()
	lab := harness.Up(t, flags...)
	return &cluster{Lab: lab, seen: witnessAll(t, lab.Client)}
}

// nodesFile writes a nodes file for --nodes-file.
func nodesFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nodes.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// space is a namespace together with the nodes whose label group is its name: one scenario's own part of a cluster.
type space struct {
	*cluster
	name string
}

// space opens a namespace. It stays after the scenario, so that what it settled to can be looked at again.
func (c *cluster) space(t *testing.T, name string, labels ...string) *space {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		ns.Labels[key] = value
	}
	if _, err := c.Client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s := &space{cluster: c, name: name}
	harness.Eventually(t, patience, func() error { // no Pod is admitted without it
		_, err := c.Client.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{})
		return err
	})
	return s
}

// node is the name of the i-th node of this space's group.
func (s *space) node(i int) string { return fmt.Sprintf("%s-%03d", s.name, i) }

// nodes are the names of some nodes of this space's group.
func (s *space) nodes(numbers ...int) []string {
	names := make([]string, 0, len(numbers))
	for _, i := range numbers {
		names = append(names, s.node(i))
	}
	return names
}

// changeNode edits a node, again if somebody else did at the same time.
func (c *cluster) changeNode(t *testing.T, name string, edit func(*corev1.Node)) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		node, err := c.Client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edit(node)
		_, err = c.Client.CoreV1().Nodes().Update(t.Context(), node, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// taint gives a node a taint.
func (c *cluster) taint(t *testing.T, name string, effect corev1.TaintEffect) {
	t.Helper()
	c.changeNode(t, name, func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "x", Effect: effect})
	})
}

// untaint takes the taint x away.
func (c *cluster) untaint(t *testing.T, name string) {
	t.Helper()
	c.changeNode(t, name, func(n *corev1.Node) {
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(x corev1.Taint) bool { return x.Key == "x" })
	})
}

// command runs an everynode command that must succeed, and gives its output.
func (c *cluster) command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.Everynode(t, args...)
	if err != nil {
		t.Fatalf("everynode %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// events are the messages of the events with this reason in the space, from the DaemonSet or, if name is empty, all.
func (s *space) events(t *testing.T, name, reason string) []string {
	t.Helper()
	list, err := s.Client.CoreV1().Events(s.name).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range list.Items {
		e := &list.Items[i]
		if e.Reason == reason && (name == "" || e.InvolvedObject.Name == name) && e.Source.Component == "everynode" {
			out = append(out, e.Message)
		}
	}
	slices.Sort(out)
	return out
}

// expectEvent waits for an event whose message contains all the parts.
func (s *space) expectEvent(t *testing.T, name, reason string, parts ...string) {
	t.Helper()
	harness.Eventually(t, patience, func() error {
		messages := s.events(t, name, reason)
		for _, m := range messages {
			if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(m, p) }) {
				return nil
			}
		}
		return fmt.Errorf("no event %s of %s says %q; there are %q", reason, name, parts, messages)
	})
}

// lasts lets the present state last for a while, so that what comes late is seen.
func lasts(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test was ended")
	case <-time.After(d):
	}
}
