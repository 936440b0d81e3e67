package main

import (
	"slices"
	"strings"
	"testing"
)

func contenderNames(o options) []string {
	var names []string
	for _, c := range o.contenders {
		names = append(names, c.name)
	}
	return names
}

func TestFlagsChooseWhatIsPlayed(t *testing.T) {
	o, err := parse([]string{"-sizes=1x1000,20x500", "-phases=rolling,first", "-modes=direct,scheduler", "-rounds=3"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []size{{1, 1000}, {20, 500}}; !slices.Equal(o.sizes, want) || o.rounds != 3 {
		t.Errorf("sizes %v, %d rounds; want %v, 3", o.sizes, o.rounds, want)
	}
	if want := []string{"floor", "upstream-2", "upstream-20", "everynode", "everynode-scheduler"}; !slices.Equal(contenderNames(o), want) {
		t.Errorf("contenders %v, want %v", contenderNames(o), want)
	}
	if len(o.phases) != 2 || o.phases[0].name != "rolling" || o.phases[1].name != "first" {
		t.Errorf("phases %+v, want rolling and first", o.phases)
	}
	for _, bad := range []string{
		"-sizes=1000", "-sizes=0x10", "-sizes=99x10", "-phases=frist", "-modes=both", "-contenders=upstream", "-contenders=upstream-0",
		"-contenders=7", "-rounds=0", "-qps=0", "-burst=0", "more",
	} {
		if _, err := parse([]string{bad}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestAllContendersHaveTheSameLimits(t *testing.T) {
	o, err := parse([]string{"-modes=direct,scheduler", "-contenders=floor,upstream-2,upstream-20,everynode,upstream-default,everynode-default"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range o.contenders {
		_, flags := c.command(o, size{1, 10}, "file")
		want := !strings.HasSuffix(c.name, "-default")
		for _, limit := range []string{"--kube-api-qps=5000", "--kube-api-burst=10000"} {
			if slices.Contains(flags, limit) != want {
				t.Errorf("%s: %v; %s is wanted: %v", c.name, flags, limit, want)
			}
		}
		if !slices.Contains(flags, "--kubeconfig=file") {
			t.Errorf("%s does not know the cluster: %v", c.name, flags)
		}
	}
}

func TestWhoIsBoundByTheBenchmark(t *testing.T) {
	o, err := parse([]string{"-modes=direct,scheduler", "-contenders=floor,upstream-2,everynode,upstream-default,everynode-default"})
	if err != nil {
		t.Fatal(err)
	}
	var bound []string
	for _, c := range o.contenders {
		if c.bound {
			bound = append(bound, c.name)
		}
	}
	if want := []string{"upstream-2", "everynode-scheduler", "upstream-default"}; !slices.Equal(bound, want) {
		t.Errorf("bound are %v, want %v", bound, want)
	}
}

func TestWhatContendersDoNotPlay(t *testing.T) {
	o, err := parse([]string{"-contenders=floor,upstream-default,upstream-2"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{3, 3, len(allPhases)} {
		n := 0
		for _, p := range allPhases {
			if o.contenders[i].plays(p) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s plays %d phases, want %d", o.contenders[i].name, n, want)
		}
	}
}
