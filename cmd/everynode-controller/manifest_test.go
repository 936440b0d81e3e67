package main

import (
	"net"
	"os"
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/internal/command"
)

func TestTheDeploymentFitsTheBinary(t *testing.T) {
	text, err := os.ReadFile("../../config/controller/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict(text, &d); err != nil {
		t.Fatal(err)
	}
	c := d.Spec.Template.Spec.Containers[0]
	cmd := command.NewController(command.ForCluster(version))
	if err := cmd.ParseFlags(c.Args); err != nil {
		t.Fatal(err)
	}
	value := func(flag string) string { return cmd.Flag(flag).Value.String() }
	if *d.Spec.Replicas < 2 || value("leader-elect") != "true" {
		t.Errorf("%d replicas with --leader-elect=%s", *d.Spec.Replicas, value("leader-elect"))
	}
	for name, flag := range map[string]string{"metrics": "metrics-bind-address", "probes": "health-probe-bind-address"} {
		host, port, err := net.SplitHostPort(value(flag))
		if err != nil {
			t.Fatal(err)
		}
		if !net.ParseIP(host).IsLoopback() {
			t.Errorf("--%s=%s is open to the network", flag, value(flag))
		}
		declared := map[string]string{}
		for _, p := range c.Ports {
			declared[p.Name] = strconv.Itoa(int(p.ContainerPort))
		}
		if declared[name] != port {
			t.Errorf("port %s is %s, and the flag says %s", name, declared[name], port)
		}
	}
	for _, probe := range []struct{ path, host, port, want string }{
		{c.LivenessProbe.HTTPGet.Path, c.LivenessProbe.HTTPGet.Host, c.LivenessProbe.HTTPGet.Port.StrVal, "/healthz"},
		{c.ReadinessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Host, c.ReadinessProbe.HTTPGet.Port.StrVal, "/readyz"},
	} {
		if probe.path != probe.want || probe.host != "127.0.0.1" || probe.port != "probes" {
			t.Errorf("a probe asks %s:%s%s", probe.host, probe.port, probe.path)
		}
	}
}
