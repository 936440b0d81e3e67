package command

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/everynode/everynode/internal/engine"
	"github.com/everynode/everynode/internal/metrics"
	"github.com/everynode/everynode/internal/plan"
)

// flags of the controller.
type flags struct {
	kubeconfig, placement, namespace string
	metricsAddress, probeAddress     string
	elect                            bool
	qps                              float32
	burst                            int
	verbosity                        int
}

// NewController is the command that runs the controller. elect is the default of --leader-elect.
func NewController(use, version string, elect bool) *cobra.Command {
	f := flags{}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Run the DaemonSet controller against a cluster",
		Long: `Runs everynode's controller for apps/v1 DaemonSets against any cluster.

The cluster's own controller must be off, or both would act:

  kube-controller-manager --controllers=*,-daemonset-controller`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), version) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "how to reach the cluster; empty: $KUBECONFIG, or the service account when run in a Pod")
	fs.StringVar(&f.placement, "placement", string(plan.Direct), "direct: set spec.nodeName at creation; scheduler: let kube-scheduler bind")
	fs.BoolVar(&f.elect, "leader-elect", elect, "act only while holding the lease "+engine.LeaseName+", so that several replicas can run")
	fs.StringVar(&f.namespace, "leader-elect-namespace", "everynode-system", "where the lease is")
	fs.StringVar(&f.metricsAddress, "metrics-bind-address", "127.0.0.1:8080", "where /metrics is served; 0 switches it off")
	fs.StringVar(&f.probeAddress, "health-probe-bind-address", "127.0.0.1:8081", "where /healthz and /readyz are served; 0 switches them off")
	fs.Float32Var(&f.qps, "kube-api-qps", -1, "bound on API requests a second; -1: none, the controller paces itself by the server's answers")
	fs.IntVar(&f.burst, "kube-api-burst", 0, "how far the bound may be exceeded for a moment")
	fs.IntVarP(&f.verbosity, "v", "v", 0, "more log: 1 tells of every call that was not carried out")
	return cmd
}

func (f *flags) run(ctx context.Context, version string) error {
	placement := plan.Placement(f.placement)
	if placement != plan.Direct && placement != plan.Scheduler {
		return fmt.Errorf("--placement=%s is unknown: it is %s or %s", f.placement, plan.Direct, plan.Scheduler)
	}
	log := f.logger()
	klog.SetSlogLogger(log)
	cfg, err := f.restConfig()
	if err != nil {
		return err
	}
	set := metrics.New(version)
	var ready atomic.Bool
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		err := engine.Serve(ctx, engine.ServeOptions{MetricsAddress: f.metricsAddress, ProbeAddress: f.probeAddress, Metrics: set, Ready: &ready})
		if err != nil {
			stop(err)
		}
	}()
	act := func(ctx context.Context) error {
		log.Info("acting", "placement", placement, "server", cfg.Host)
		return engine.Run(ctx, cfg, engine.Options{Placement: placement, Metrics: set, Logger: log, Ready: func() {
			ready.Store(true)
			log.Info("all facts are in")
		}})
	}
	if f.elect {
		ready.Store(true) // a replica that stands by is ready to take over
		err = engine.Lead(ctx, cfg, f.namespace, set.Leading, act)
	} else {
		set.Leading(true)
		err = act(ctx)
	}
	if cause := context.Cause(ctx); err == nil && cause != nil && cause != context.Canceled {
		return cause
	}
	return err
}

// restConfig reads how to reach the cluster, and speaks protobuf to it.
func (f *flags) restConfig() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to work for: %w; name one with --kubeconfig or $KUBECONFIG", err)
	}
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	cfg.UserAgent = "everynode-controller"
	cfg.QPS, cfg.Burst = f.qps, f.burst
	return cfg, nil
}

// logger writes lines for people to a terminal and JSON elsewhere.
func (f *flags) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if f.verbosity == 0 {
		o.Level = slog.LevelInfo
	} else {
		o.Level = slog.LevelDebug
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(slog.NewTextHandler(os.Stderr, o))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, o))
}
