package lab

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/everynode/everynode/config"
)

// phase runs f as a visible phase with a limit, and turns its failure into the form for people.
func (l *lab) phase(name, component string, f func(ctx context.Context) (string, error)) error {
	return l.talk.run(name, func() (string, error) {
		ctx, cancel := context.WithTimeout(l.life, phaseLimit)
		defer cancel()
		detail, err := f(ctx)
		if err == nil {
			return detail, nil
		}
		// When a part died, its own words say more than "context canceled".
		if cause := context.Cause(l.life); cause != nil {
			return "", cause
		}
		var told *Error
		if errors.As(err, &told) {
			return "", err
		}
		return "", startError(component, err, l.state.keptLog())
	})
}

func (l *lab) startStore() error {
	if l.o.EtcdServers != "" {
		return l.findStore()
	}
	return l.phase("etcd", "etcd", func(ctx context.Context) (string, error) {
		e, err := startEtcd(ctx, l.state, l.logs.zap())
		if err != nil {
			return "", err
		}
		l.parts.stage().run("etcd", func(ctx context.Context) error {
			defer e.Close()
			select {
			case <-ctx.Done():
				return nil
			case err := <-e.Err():
				return err
			}
		})
		if !l.state.keep {
			return "in a temporary directory, on a private socket", nil
		}
		if l.state.resumed {
			return "resumed from " + l.state.dir, nil
		}
		return "in " + l.state.dir, nil
	})
}

// findStore looks whether the etcd that runs elsewhere is there: the API server would wait for it and then say less.
func (l *lab) findStore() error {
	return l.phase("etcd", "etcd", func(ctx context.Context) (string, error) {
		return "runs elsewhere, " + l.o.EtcdServers, reachEtcd(ctx, l.o.EtcdServers)
	})
}

// etcdServers is where the API server finds its store.
func (l *lab) etcdServers() string {
	if l.o.EtcdServers != "" {
		return l.o.EtcdServers
	}
	return etcdEndpoint(l.state)
}

func (l *lab) startServer() error {
	return l.phase("kube-apiserver", "kube-apiserver", func(ctx context.Context) (string, error) {
		stage := l.parts.stage()
		flags := apiServerFlags(l.etcdServers(), l.pki, l.o.APIServerArgs)
		opts, err := prepareAPIServer(stage.ctx, flags, l.listen) //nolint:contextcheck // it outlives the phase
		if err != nil {
			return "", err
		}
		l.listen = nil // the API server closes it now
		stage.run("kube-apiserver", func(ctx context.Context) error { return runAPIServer(ctx, opts) })
		return l.server, waitReady(ctx, l.client, slowCheck)
	})
}

func (l *lab) startControllers() error {
	return l.phase("controllers", "kube-controller-manager", func(ctx context.Context) (string, error) {
		stage := l.parts.stage()
		c, err := prepareControllers(stage.ctx, l.pki) //nolint:contextcheck // they outlive the phase
		if err != nil {
			return "", err
		}
		stage.run("kube-controller-manager", func(ctx context.Context) error { return runControllers(ctx, c) })
		// Meanwhile: our own identities. Both are applied even when their part is off, so that it can run elsewhere.
		if err := applyManifests(ctx, l.dyn, config.Namespace, config.Controller, config.Simnode); err != nil {
			return "", err
		}
		return "all but the built-in daemonset-controller", waitDefaultAccount(ctx, l.client)
	})
}

func (l *lab) startScheduler() error {
	return l.phase("kube-scheduler", "kube-scheduler", func(context.Context) (string, error) {
		l.parts.stage().run("kube-scheduler", func(ctx context.Context) error { return runScheduler(ctx, l.pki) })
		return "binds what is not bound at creation", nil
	})
}

func (l *lab) startEverynode() error {
	return l.phase("everynode", "the everynode controller", func(ctx context.Context) (string, error) {
		t, err := token(ctx, l.client, controllerUser)
		if err != nil {
			return "", err
		}
		cfg := tokenConfig(l.server, l.pki.ca.certPEM, t)
		cfg.UserAgent = controllerUser
		ready := make(chan struct{})
		c := Controller{Config: cfg, Placement: l.o.Placement, Log: l.logs, Socket: l.state.controllerSocket(), Ready: sync.OnceFunc(func() { close(ready) })}
		l.parts.stage().run("the everynode controller", func(ctx context.Context) error { return l.o.RunController(ctx, c) })
		select {
		case <-ready:
		case <-ctx.Done():
			return "", errors.New("it does not report that it is ready")
		}
		return l.o.Placement + " placement, own account with least rights", nil
	})
}

// stopLimit leaves room below the three seconds that are promised.
const stopLimit = 2300 * time.Millisecond

// stop undoes start, however far it came. The kubeconfig goes first: it stands for "ready".
// cut tells that parts did not end in time; they end with this process, and what can be removed is removed.
func (l *lab) stop() (cut bool, err error) {
	var errs []error
	if l.kube != nil {
		errs = append(errs, removeStale(l.o.Kubeconfig))
	}
	cut = !l.parts.stop(stopLimit)
	if l.listen != nil {
		errs = append(errs, l.listen.Close())
	}
	if l.logs != nil {
		errs = append(errs, l.logs.close())
	}
	if l.state != nil {
		errs = append(errs, l.state.close())
	}
	if l.kube != nil {
		errs = append(errs, l.kube.release())
	}
	return cut, errors.Join(errs...)
}
