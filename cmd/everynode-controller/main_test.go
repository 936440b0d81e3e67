package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestNoControlPlaneIsLinkedIn(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(out)) {
		if strings.HasPrefix(pkg, "k8s.io/kubernetes/") || strings.HasPrefix(pkg, "go.etcd.io/etcd/server") {
			t.Errorf("linked in: %s", strings.TrimSpace(pkg))
		}
	}
}
