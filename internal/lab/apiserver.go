package lab

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiServerFlags are the command line of an ordinary kube-apiserver; its listener is handed over separately.
func apiServerFlags(etcd string, p *pki, more []string) []string {
	flags := []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // an endpoint on loopback would be invalid
		"--tls-cert-file=" + p.file("apiserver.crt"),
		"--tls-private-key-file=" + p.file("apiserver.key"),
		"--client-ca-file=" + p.file("ca.crt"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true", // storage and network daemons need it
		"--service-cluster-ip-range=" + serviceRange,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.file("sa.key"),
		"--service-account-signing-key-file=" + p.file("sa.key"),
		"--profiling=false",
		// Thousands of simulated kubelets are ordinary clients here.
		"--max-requests-inflight=1600",
		"--max-mutating-requests-inflight=800",
	}
	for _, arg := range more {
		flags = append(flags, "--"+strings.TrimLeft(arg, "-"))
	}
	return flags
}

// prepareAPIServer turns flags into a server that is ready to run.
func prepareAPIServer(ctx context.Context, flags []string, l net.Listener) (options.CompletedOptions, error) {
	opts := options.NewServerRunOptions()
	if err := parse("kube-apiserver", opts.Flags(), flags); err != nil {
		return options.CompletedOptions{}, err
	}
	opts.SecureServing.Listener = l
	opts.SecureServing.BindPort = portOf(l)
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return options.CompletedOptions{}, err
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return options.CompletedOptions{}, err
	}
	return completed, utilerrors.NewAggregate(completed.Validate())
}

// serverShutdown is how long the API server waits for connections that are open when it stops. Its default is a
// minute, and its own watches on itself are among them.
const serverShutdown = 500 * time.Millisecond

// runAPIServer does what upstream's app.Run does, which has no way to say how long a shutdown may take.
func runAPIServer(ctx context.Context, opts options.CompletedOptions) error {
	name, err := cache.NewInformerName("kube-apiserver")
	if err != nil {
		return err
	}
	opts.InformerName = name
	config, err := app.NewConfig(opts)
	if err != nil {
		return err
	}
	completed, err := config.Complete()
	if err != nil {
		return err
	}
	server, err := app.CreateServerChain(completed)
	if err != nil {
		return err
	}
	server.GenericAPIServer.ShutdownTimeout = serverShutdown
	prepared, err := server.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// slowCheck is the one readiness check that only looks once a second; nothing that starts next depends on it.
const slowCheck = "poststarthook/scheduling/bootstrap-system-priority-classes"

// waitReady polls /readyz until the API server can serve, RBAC's own roles included.
func waitReady(ctx context.Context, client kubernetes.Interface, exclude ...string) error {
	for {
		req := client.Discovery().RESTClient().Get().AbsPath("/readyz")
		for _, check := range exclude {
			req = req.Param("exclude", check)
		}
		last := req.Do(ctx).Error()
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// parse gives a component its command line without the component's own cobra command, whose constructor would
// take over the signals of this process.
func parse(name string, sets cliflag.NamedFlagSets, args []string) error {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		fs.AddFlagSet(set)
	}
	return fs.Parse(args)
}
