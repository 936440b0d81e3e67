package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/internal/engine"
	"github.com/everynode/everynode/internal/metrics"
	"github.com/everynode/everynode/internal/plan"
)

// Setting is how a binary offers the controller.
type Setting struct {
	// Use is the command's name, Version that of the binary.
	Use, Version string
	// LeaderElect, MetricsAddress and ProbeAddress are defaults of flags.
	LeaderElect                  bool
	MetricsAddress, ProbeAddress string
}

// ForCluster is the setting of everynode-controller, the binary for a cluster: replicas compete for the lease, and what they serve
// is open to their own host only.
func ForCluster(version string) Setting {
	return Setting{
		Use: "everynode-controller", Version: version, LeaderElect: true,
		MetricsAddress: "127.0.0.1:8080", ProbeAddress: "127.0.0.1:8081",
	}
}

// flags of the controller.
type flags struct {
	kubeconfig, placement, namespace string
	metricsAddress, probeAddress     string
	elect                            bool
	qps                              float32
	burst                            int
	verbosity                        int
}

// NewController is the command that runs the controller.
func NewController(s Setting) *cobra.Command {
	f := flags{}
	cmd := &cobra.Command{
		Use:   s.Use,
		Short: "Run the DaemonSet controller against a cluster",
		Long: `Runs everynode's controller for apps/v1 DaemonSets against any cluster.

The cluster's own controller must be off, or both would act:

  kube-controller-manager --controllers=*,-daemonset-controller

Running Pods are not restarted by the change, neither on the way in nor on the way back.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), s.Version) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "how to reach the cluster (default: $KUBECONFIG, then the usual file, then the service account of the Pod that it runs in)")
	fs.StringVar(&f.placement, "placement", string(plan.Direct), "who binds daemon Pods: direct (everynode, at creation) or scheduler")
	fs.BoolVar(&f.elect, "leader-elect", s.LeaderElect, "act only while holding the lease "+engine.LeaseName+", so that several replicas can run")
	fs.StringVar(&f.namespace, "leader-elect-namespace", "", "where the lease is (default: the namespace of the Pod that it runs in, else "+engine.DefaultNamespace+")")
	fs.StringVar(&f.metricsAddress, "metrics-bind-address", s.MetricsAddress, "where /metrics and /debug/everynode/ are served, host:port; they ask for no password; 0 switches it off")
	fs.StringVar(&f.probeAddress, "health-probe-bind-address", s.ProbeAddress, "where /healthz and /readyz are served, host:port; 0 switches them off")
	fs.Float32Var(&f.qps, "kube-api-qps", -1, "bound on API requests a second; -1 is none: the controller paces itself by the server's answers")
	fs.IntVar(&f.burst, "kube-api-burst", 0, "how far --kube-api-qps may be exceeded for a moment; 0 is twice the bound")
	fs.IntVarP(&f.verbosity, "verbosity", "v", 0, "more log: up to 4 what the controller does, above that what its client does")
	return cmd
}

// check looks at the flags alone.
func (f *flags) check() error {
	switch plan.Placement(f.placement) {
	case plan.Direct, plan.Scheduler:
	default:
		return fmt.Errorf("--placement=%s is unknown\n  use %s (everynode binds Pods at creation) or %s (kube-scheduler binds them)", f.placement, plan.Direct, plan.Scheduler)
	}
	if f.qps == 0 {
		return errors.New("--kube-api-qps=0 would allow no request at all\n  use -1 for no bound, or a bound above 0")
	}
	if a := f.metricsAddress; a == f.probeAddress && a != "" && a != "0" && !strings.HasSuffix(a, ":0") {
		return fmt.Errorf("--metrics-bind-address and --health-probe-bind-address are both %s\n  give one of them another port, or 0 to switch it off", a)
	}
	if f.burst == 0 && f.qps > 0 {
		f.burst = max(1, int(2*f.qps))
	}
	return nil
}

func (f *flags) run(ctx context.Context, version string) error {
	if err := f.check(); err != nil {
		return err
	}
	log, err := newLog(os.Stderr, f.verbosity)
	if err != nil {
		return err
	}
	cfg, err := f.restConfig()
	if err != nil {
		return err
	}
	if f.namespace == "" {
		f.namespace = podNamespace()
	}
	set := metrics.New(version)
	cfg.Wrap(set.Transport)
	state := &readiness{}
	inspector := engine.NewInspector()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	spareMemory()
	go spareProcessors(ctx, log)
	served := make(chan struct{})
	go func() {
		defer close(served)
		stop(engine.Serve(ctx, engine.ServeOptions{
			MetricsAddress: f.metricsAddress, ProbeAddress: f.probeAddress, Metrics: set.Handler(), Debug: inspector.Handler(), Ready: state.why,
			Listening: func(what string, a net.Addr) { log.Info("listening", "for", what, "address", a.String()) },
		}))
	}()
	err = f.control(ctx, cfg, set, inspector, log, state)
	cause := context.Cause(ctx) // a signal, or a server that failed
	stop(nil)
	<-served
	if cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// control makes sure that the controller can work, and lets it: at once, or while it leads.
func (f *flags) control(ctx context.Context, cfg *rest.Config, set *metrics.Set, inspector *engine.Inspector, log *slog.Logger, state *readiness) error {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	state.set("the API server has not answered yet")
	if err := reach(ctx, client.Discovery(), cfg.Host, func(err error) {
		set.FeedError("version")
		log.Warn("the API server does not answer yet; is it running, and is this the right kubeconfig?", "server", cfg.Host, "error", err)
	}); err != nil || ctx.Err() != nil {
		return err
	}
	lease := ""
	if f.elect {
		lease = f.namespace
	}
	if err := mayAllSoon(ctx, client, lease, log); err != nil || ctx.Err() != nil {
		return err
	}
	warnOfBuiltIn(ctx, client, log)
	since := time.Now()
	controller, err := engine.New(cfg, engine.Options{Placement: plan.Placement(f.placement), Metrics: set, Inspector: inspector, Logger: log, Ready: func() {
		state.set("")
		set.Synced(true)
		log.Info("all facts are in", "after", time.Since(since).Round(time.Millisecond).String())
	}})
	if err != nil {
		return err
	}
	act := func(ctx context.Context) error {
		state.set("the facts are not complete yet")
		log.Info("acting", "placement", f.placement, "server", cfg.Host)
		since = time.Now()
		return controller.Act(ctx)
	}
	if !f.elect {
		set.Leading(true)
		return act(ctx)
	}
	state.set("who leads is not known yet")
	return engine.Lead(ctx, cfg, engine.LeaderOptions{
		Namespace: f.namespace, Leading: set.Leading, Logger: log,
		Following: func(id string) {
			state.set("") // it stands by, which is all that a second replica can do
			log.Info("standing by", "leader", id, "lease", f.namespace+"/"+engine.LeaseName)
			controller.Watch(ctx) // so that it need not read everything when it has to act
		},
	}, act)
}
