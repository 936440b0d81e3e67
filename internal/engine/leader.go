package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/everynode/everynode/internal/live"
)

// LeaseName is the name of the lease that replicas compete for.
const LeaseName = live.LeaseName

// DefaultNamespace is where the lease is unless somebody chooses.
const DefaultNamespace = "everynode-system"

// leaseTimes are those of the built-in controllers.
var leaseTimes = times{duration: 15 * time.Second, renew: 10 * time.Second, retry: 2 * time.Second, margin: 2 * time.Second}

// How long a leader that lost waits for its work to end before Lead returns without it, and how long it may take to give
// the lease up at the end.
const (
	lostLimit    = 10 * time.Second
	releaseLimit = time.Second
)

// ErrLeaseLost is what Lead returns when another replica may be acting: the process should end and start afresh.
var ErrLeaseLost = errors.New("the lease was lost, so another replica may be acting")

// LeaderOptions say which lease to compete for and whom to tell.
type LeaderOptions struct {
	// Namespace and Identity may be empty: DefaultNamespace, and the host's name with something random.
	Namespace, Identity string
	// Leading, if set, is told when this replica begins and ends to lead.
	Leading func(bool)
	// Following, if set, is told which other replica leads, each time that changes.
	Following func(identity string)
	// Logger may be nil; then nothing is logged.
	Logger *slog.Logger
}

// Lead waits for the lease and runs run while it is held. run's context ends with ctx, or when the lease is lost and before
// another replica can have it. Lead returns when run has: with nil or run's error, after it has given the lease up, or with
// ErrLeaseLost.
func Lead(ctx context.Context, cfg *rest.Config, o LeaderOptions, run func(context.Context) error) error {
	cfg = rest.AddUserAgent(rest.CopyConfig(cfg), "lease")
	cfg.Timeout = leaseTimes.renew / 2 // one request that hangs must leave time for another
	cfg.QPS = -1                       // renewals never queue behind anything
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	if o.Identity == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the replica's name for the lease: %w", err)
		}
		o.Identity = host + "_" + string(uuid.NewUUID())
	}
	return lead(ctx, client.CoordinationV1(), o, leaseTimes, run)
}

func lead(ctx context.Context, client coordination.LeasesGetter, o LeaderOptions, t times, run func(context.Context) error) error {
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	g := &guard{times: t, lose: lose, Interface: &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: o.namespace(), Name: LeaseName},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: o.Identity},
	}}
	won := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: LeaseName, Lock: g, LeaseDuration: t.duration, RenewDeadline: t.renew, RetryPeriod: t.retry,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(won) },
			OnStoppedLeading: func() {}, // the guard and the end of Run tell
			OnNewLeader:      o.follow,
		},
	})
	if err != nil {
		return err
	}
	// The elector outlives ctx: it renews until run has returned. Only then is the lease given up, by the guard.
	electing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	over := make(chan struct{})
	go func() {
		defer close(over)
		elector.Run(electing)
		lose(ErrLeaseLost)
	}()
	select {
	case <-ctx.Done():
	case <-won:
		err = o.hold(held, g, run)
	}
	lost := errors.Is(context.Cause(held), ErrLeaseLost)
	stop()
	<-over
	if lost {
		return errors.Join(ErrLeaseLost, err)
	}
	o.giveUp(context.WithoutCancel(ctx), g)
	return err
}

// hold runs run while the lease is held. After a loss it does not wait for ever: the end of the process ends run too.
func (o LeaderOptions) hold(held context.Context, g *guard, run func(context.Context) error) error {
	if o.Leading != nil {
		o.Leading(true)
		defer o.Leading(false)
	}
	ran := make(chan error, 1)
	go func() { ran <- run(fenced{held, g}) }() //nolint:contextcheck // it descends from held
	select {
	case err := <-ran:
		return err
	case <-held.Done():
	}
	if !errors.Is(context.Cause(held), ErrLeaseLost) {
		return <-ran
	}
	select {
	case err := <-ran:
		return err
	case <-time.After(lostLimit):
		return fmt.Errorf("the controller did not stop within %s after that", lostLimit)
	}
}

func (o LeaderOptions) namespace() string {
	if o.Namespace == "" {
		return DefaultNamespace
	}
	return o.Namespace
}

func (o LeaderOptions) follow(identity string) {
	if o.Following != nil && identity != o.Identity && identity != "" {
		o.Following(identity)
	}
}

// giveUp releases the lease. Failing to is no error: the next leader waits until it has run out.
func (o LeaderOptions) giveUp(ctx context.Context, g *guard) {
	ctx, cancel := context.WithTimeout(ctx, releaseLimit)
	defer cancel()
	if err := g.release(ctx); err != nil && o.Logger != nil {
		o.Logger.Warn("the lease was not given up; the next leader waits until it has run out", "lease", o.namespace()+"/"+LeaseName, "error", err)
	}
}
