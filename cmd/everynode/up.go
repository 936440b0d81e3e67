package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/lab"
)

func newUpCmd() *cobra.Command {
	o := lab.Options{Controller: true, Simulate: true, Placement: lab.PlacementDirect}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a whole Kubernetes control plane with simulated nodes in this process",
		Long: `Starts etcd, kube-apiserver, kube-controller-manager (all controllers but the built-in daemonset-controller), the
everynode controller and simulated nodes, all in this process and on loopback only.

The kubeconfig is written last: when the file is there, everything is ready. It is removed when up stops.
Without --data-dir nothing is left behind. With it, a later "up" on the same directory resumes where this one ended.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.NodesSet = cmd.Flags().Changed("nodes")
			o.Out = os.Stderr
			o.Program = program()
			o.Version = ownVersion()
			wire(&o)
			return lab.Up(untilSignal(cmd.Context()), o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Nodes, "nodes", 12, "number of simulated nodes")
	f.StringVar(&o.NodesFile, "nodes-file", "", "Node objects (YAML or JSON) to simulate instead")
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "where to write the kubeconfig (default ~/.everynode/kubeconfig)")
	f.StringVar(&o.DataDir, "data-dir", "", "keep the cluster in this directory and resume it (default: temporary, removed at the end)")
	f.IntVar(&o.Port, "port", 0, "port of the API server on 127.0.0.1; 0 is a free one, or the previous one of --data-dir")
	f.StringVar(&o.Placement, "placement", o.Placement, "who binds daemon Pods: direct (everynode, at creation) or scheduler")
	f.BoolVar(&o.Scheduler, "scheduler", false, "run kube-scheduler too (implied by --placement=scheduler)")
	f.BoolVar(&o.Controller, "controller", true, "run the everynode controller; false to bring your own")
	f.BoolVar(&o.Simulate, "simulate", true, "run simulated nodes; false for an empty cluster")
	f.StringVar(&o.EtcdServers, "etcd-servers", "", "use an etcd that runs elsewhere, such as unix:///DIR/run/client.sock of \"everynode etcd\"")
	f.StringArrayVar(&o.APIServerArgs, "kube-apiserver-arg", nil, "one more flag for kube-apiserver, as name=value; may be repeated")
	f.BoolVarP(&o.Verbose, "verbose", "v", false, "show the logs of all parts")
	return cmd
}

// program is how to call this binary again from the same shell.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "everynode"
	}
	if found, err := exec.LookPath("everynode"); err == nil {
		if target, err := filepath.EvalSymlinks(found); err == nil && target == self {
			return "everynode"
		}
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, self); err == nil && len(rel) < len(self) && filepath.IsLocal(rel) {
			return rel
		}
	}
	return self
}

// stopLimit is the promise that a stop takes less than three seconds, kept even if stopping itself hangs.
const stopLimit = 2900 * time.Millisecond

// untilSignal ends the context at the first Ctrl-C or SIGTERM; a second one ends the process at once.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	// Output into a pipe that closed must not kill the process before it has cleaned up.
	signal.Ignore(syscall.SIGPIPE)
	got := make(chan os.Signal, 2)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-got
		cancel()
		select {
		case <-got:
		case <-time.After(stopLimit):
			fmt.Fprintln(os.Stderr, "\nsome parts did not stop in time; ending the process")
		}
		os.Exit(1)
	}()
	return ctx
}
