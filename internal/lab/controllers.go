package lab

import (
	"context"

	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/config"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// controllerFlags run every controller that upstream enables, but the one that everynode replaces.
func controllerFlags(p *pki) []string {
	return []string{
		"--kubeconfig=" + p.file("controllers.kubeconfig"),
		"--controllers=*,-daemonset-controller",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + p.file("sa.key"),
		"--root-ca-file=" + p.file("ca.crt"),
		"--cluster-signing-cert-file=" + p.file("ca.crt"),
		"--cluster-signing-key-file=" + p.file("ca.key"),
		"--leader-elect=false", // there is one
		"--secure-port=0",      // no metrics port: nothing listens but the API server
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		"--controller-shutdown-timeout=1s",
	}
}

func prepareControllers(ctx context.Context, p *pki) (*config.CompletedConfig, error) {
	opts, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	known, off, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	if err := parse("kube-controller-manager", opts.Flags(known, off, aliases), controllerFlags(p)); err != nil {
		return nil, err
	}
	c, err := opts.Config(ctx, known, off, aliases)
	if err != nil {
		return nil, err
	}
	return c.Complete(), nil
}

func runControllers(ctx context.Context, c *config.CompletedConfig) error {
	return app.Run(ctx, c)
}

func schedulerFlags(p *pki) []string {
	return []string{
		"--kubeconfig=" + p.file("scheduler.kubeconfig"),
		"--leader-elect=false", // with an election, the scheduler ends by os.Exit
		"--secure-port=0",
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
}

func runScheduler(ctx context.Context, p *pki) error {
	opts := scheduleroptions.NewOptions()
	if err := parse("kube-scheduler", *opts.Flags, schedulerFlags(p)); err != nil {
		return err
	}
	cc, sched, err := scheduler.Setup(ctx, opts)
	if err != nil {
		return err
	}
	return scheduler.Run(ctx, cc, sched)
}
