package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/everynode/everynode/test/bench/cluster"
	"github.com/everynode/everynode/test/bench/tally"
	"github.com/everynode/everynode/test/harness"
)

// contender is a program that gets Pods onto nodes.
type contender struct {
	name string
	// bound says that the benchmark binds its Pods.
	bound bool
	// only, if set, are the phases that it can or should play.
	only []string
	// command gives the binary, below the directory of binaries, and its flags.
	command func(o options, s size, kubeconfig string) (string, []string)
}

// boxPhases are what the programs play that run as they come: upstream takes minutes for them.
var boxPhases = []string{"idle", "first", "rolling"}

// chooseContenders reads -contenders; the modes say which of everynode's placements play for "everynode".
func chooseContenders(list, modes string) ([]contender, error) {
	placements, err := each(modes, func(m string) (string, error) {
		if m != "direct" && m != "scheduler" {
			return "", fmt.Errorf("mode %q: use direct, scheduler, or both with a comma between them", m)
		}
		return m, nil
	})
	if err != nil {
		return nil, err
	}
	var all []contender
	for name := range strings.SplitSeq(list, ",") {
		switch name = strings.TrimSpace(name); name {
		case tally.Floor:
			all = append(all, contender{name: name, only: []string{"first", "rolling", "flips"}, command: floor})
		case tally.Everynode:
			for _, p := range placements {
				all = append(all, ours(p))
			}
		case tally.EverynodeDefault:
			all = append(all, contender{name: name, only: boxPhases, command: func(o options, _ size, kubeconfig string) (string, []string) {
				return binary(o), oursFlags(kubeconfig)
			}})
		case tally.UpstreamDefault:
			all = append(all, contender{name: name, bound: true, only: boxPhases, command: func(_ options, _ size, kubeconfig string) (string, []string) {
				return upstreamBinary, upstreamFlags(kubeconfig)
			}})
		default:
			workers, err := strconv.Atoi(strings.TrimPrefix(name, tally.Upstream))
			if err != nil || workers < 1 || !strings.HasPrefix(name, tally.Upstream) {
				return nil, fmt.Errorf("contender %q: use floor, upstream-N (N workers), upstream-default, everynode or everynode-default", name)
			}
			all = append(all, upstream(name, workers))
		}
	}
	return all, nil
}

var upstreamBinary = filepath.Join("bench", "upstream")

// binary is everynode as it is shipped in an image, or one that profiles itself.
func binary(o options) string {
	if o.profile != "" {
		return filepath.Join("bench", "profiled")
	}
	return "everynode-controller"
}

func limits(o options) []string {
	return []string{fmt.Sprintf("--kube-api-qps=%g", o.qps), fmt.Sprintf("--kube-api-burst=%d", o.burst)}
}

func floor(o options, s size, kubeconfig string) (string, []string) {
	return filepath.Join("bench", "floor"), append(limits(o), "--kubeconfig="+kubeconfig, fmt.Sprintf("--daemons=%d", s.daemons))
}

func oursFlags(kubeconfig string) []string {
	return []string{"--kubeconfig=" + kubeconfig, "--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0"}
}

func ours(placement string) contender {
	c := contender{name: tally.Everynode, bound: placement == "scheduler"}
	if c.bound {
		c.name = tally.EverynodePinned
	}
	c.command = func(o options, _ size, kubeconfig string) (string, []string) {
		return binary(o), append(append(oursFlags(kubeconfig), limits(o)...), "--placement="+placement)
	}
	return c
}

// upstreamFlags leave all but what the benchmark needs as it is: the other controllers run in the control plane.
func upstreamFlags(kubeconfig string) []string {
	return []string{"--kubeconfig=" + kubeconfig, "--controllers=daemonset-controller", "--leader-elect=false", "--secure-port=0"}
}

func upstream(name string, workers int) contender {
	return contender{name: name, bound: true, command: func(o options, _ size, kubeconfig string) (string, []string) {
		return upstreamBinary, append(append(upstreamFlags(kubeconfig), limits(o)...),
			"--kube-api-content-type=application/vnd.kubernetes.protobuf", fmt.Sprintf("--concurrent-daemonset-syncs=%d", workers))
	}}
}

// plays tells whether the contender takes part in a phase.
func (c contender) plays(p phase) bool {
	if c.only == nil {
		return true
	}
	return slices.Contains(c.only, p.name)
}

// start runs the contender against the cluster.
func (g *game) start(ctx context.Context) error {
	kubeconfig, err := g.cluster.Kubeconfig(ctx)
	if err != nil {
		return err
	}
	path, flags := g.contender.command(g.options, g.size, kubeconfig)
	var env []string
	if g.options.profile != "" {
		env = append(env, fmt.Sprintf("CPU_PROFILE=%s/%s-%s-%d-%d", g.options.profile, g.contender.name, g.size, g.round, g.starts))
	}
	g.starts++
	g.process, err = harness.Launch(filepath.Join(g.options.bin, path), env, flags...)
	if err != nil {
		return fmt.Errorf("%w\n  make it:  make bench-build", err)
	}
	if g.contender.bound && g.binder == nil {
		g.binder = g.cluster.Bind(ctx)
	}
	return nil
}

// end stops the contender.
func (g *game) end() error {
	if g.process == nil {
		return nil
	}
	_, err := g.process.Stop(syscall.SIGTERM)
	g.process = nil
	if err != nil {
		return fmt.Errorf("stop %s: %w", g.contender.name, err)
	}
	return nil
}

// alive is an error once the contender or its cluster has ended, or its binder has failed.
func (g *game) alive() error {
	if err := g.cluster.Alive(); err != nil {
		return err
	}
	if g.binder != nil {
		if err := g.binder.Failed(); err != nil {
			return err
		}
	}
	if g.process == nil {
		return nil
	}
	select {
	case <-g.process.Exited():
		return fmt.Errorf("%s ended:\n%s", g.contender.name, g.process.Output())
	default:
		return nil
	}
}

// daemons are the names of the DaemonSets of this size.
func (g *game) daemons() []string {
	names := make([]string, g.size.daemons)
	for i := range names {
		names[i] = cluster.DaemonName(i)
	}
	return names
}
