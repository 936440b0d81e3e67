package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/internal/lab/kubeversion"
)

// phaseLimit is how long one part may take before the start is given up. It is far above what a slow machine needs.
const phaseLimit = 2 * time.Minute

// lab is one running control plane.
type lab struct {
	o      Options
	talk   *phases
	state  *state
	kube   *lock // claim on the kubeconfig's name
	logs   *logSink
	pki    *pki
	listen net.Listener
	server string        // https://127.0.0.1:PORT
	fleet  []corev1.Node // to create; nil when the resumed cluster has its own

	life   context.Context // ends when the user stops the lab, or a part dies
	parts  *parts
	client kubernetes.Interface
	dyn    dynamic.Interface
}

// Up starts everything, says so, waits until ctx ends or a part dies, and stops everything again. Being stopped by
// ctx is success.
func Up(ctx context.Context, o Options) error {
	if err := o.complete(); err != nil {
		return err
	}
	life, die := context.WithCancelCause(ctx)
	defer die(nil)
	surviveFatal(die)
	l := &lab{o: o, talk: newPhases(o.Out), life: life, parts: newParts(die)}
	l.talk.printf("everynode %s · Kubernetes %s in this process · no Docker, no root%s\n\n", o.Version, kubeversion.Get(), l.promise())

	err := l.start() //nolint:contextcheck // life descends from ctx
	if err == nil {
		l.announce()
		<-life.Done()
		err = context.Cause(life)
	}
	byUser := ctx.Err() != nil
	if byUser {
		l.talk.printf("\nStopping…")
		err = nil // whatever a part said after that, it was told to end
	}
	cut, stopErr := l.stop()
	if byUser && stopErr == nil {
		how := "stopped"
		if cut {
			how = "stopped, not waiting for slow parts"
		}
		l.talk.printf(" %s. %s\n", how, l.epitaph())
	}
	return errors.Join(err, stopErr)
}

// start brings the parts up in the order in which they need each other.
func (l *lab) start() error {
	if err := l.prepare(); err != nil {
		return err
	}
	if err := l.startStore(); err != nil {
		return err
	}
	if err := l.startServer(); err != nil {
		return err
	}
	if err := l.startControllers(); err != nil {
		return err
	}
	if l.o.Scheduler {
		if err := l.startScheduler(); err != nil {
			return err
		}
	}
	if l.o.Controller {
		if err := l.startEverynode(); err != nil {
			return err
		}
	}
	if l.o.Simulate {
		if err := l.startNodes(); err != nil {
			return err
		}
	}
	return l.publish()
}

// prepare claims what the lab will use; every refusal that a user can cause comes from here, at once.
func (l *lab) prepare() (err error) {
	if l.state, err = openState(l.o.DataDir); err != nil {
		return err
	}
	if l.o.Simulate {
		if l.fleet, err = l.wantedNodes(); err != nil {
			return err
		}
	}
	if l.kube, err = claimKubeconfig(l.o.Kubeconfig); err != nil {
		return err
	}
	if l.logs, err = openLogs(l.state, l.o); err != nil {
		return err
	}
	if l.listen, err = l.state.listen(l.o.Port); err != nil {
		return err
	}
	l.server = "https://" + l.listen.Addr().String()
	if l.pki, err = openPKI(l.state.path("pki")); err != nil {
		return err
	}
	return l.credentials()
}

// credentials issues this run's certificates; the authority behind them may be older.
func (l *lab) credentials() error {
	if err := l.pki.serving(); err != nil {
		return err
	}
	for file, user := range map[string]string{
		"controllers.kubeconfig": "system:kube-controller-manager",
		"scheduler.kubeconfig":   "system:kube-scheduler",
	} {
		c, err := l.pki.client(user)
		if err != nil {
			return err
		}
		data, err := kubeconfig(l.server, l.pki.ca.certPEM, c)
		if err != nil {
			return err
		}
		if err := writePrivate(l.pki.file(file), data); err != nil {
			return err
		}
	}
	admin, err := l.pki.client("everynode-up", "system:masters")
	if err != nil {
		return err
	}
	return l.connect(clientConfig(l.server, l.pki.ca.certPEM, admin))
}

func (l *lab) connect(cfg *rest.Config) (err error) {
	if l.client, err = kubernetes.NewForConfig(cfg); err != nil {
		return fmt.Errorf("admin client: %w", err)
	}
	if l.dyn, err = dynamic.NewForConfig(cfg); err != nil {
		return fmt.Errorf("admin client: %w", err)
	}
	return nil
}

// publish writes the kubeconfig: from now on the lab is ready.
func (l *lab) publish() error {
	ctx, cancel := context.WithTimeout(l.life, phaseLimit)
	defer cancel()
	if err := waitReady(ctx, l.client); err != nil {
		return startError("kube-apiserver", err, l.state.keptLog())
	}
	c, err := l.pki.client("everynode-admin", "system:masters")
	if err != nil {
		return err
	}
	data, err := kubeconfig(l.server, l.pki.ca.certPEM, c)
	if err != nil {
		return err
	}
	if l.o.Controller {
		if data, err = withController(data, l.state.controllerSocket()); err != nil {
			return err
		}
	}
	if err := writePrivate(l.o.Kubeconfig, data); err != nil {
		return kubeconfigError(l.o.Kubeconfig, err)
	}
	return nil
}
