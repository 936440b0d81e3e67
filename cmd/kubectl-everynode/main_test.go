package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/everynode/everynode/internal/cli"
)

func TestNoControlPlaneIsLinkedIn(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(out)) {
		if strings.HasPrefix(pkg, "k8s.io/kubernetes/") || strings.HasPrefix(pkg, "go.etcd.io/etcd/") {
			t.Errorf("linked in: %s", strings.TrimSpace(pkg))
		}
	}
}

// A person calls it through kubectl, and its help says so.
func TestHelpSpeaksOfKubectl(t *testing.T) {
	root := cli.NewPlugin("test")
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"explain", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "  kubectl everynode explain -n monitoring node-exporter node-011") {
		t.Errorf("help:\n%s", out.String())
	}
}
