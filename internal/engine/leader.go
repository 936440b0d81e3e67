package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// LeaseName is the name of the lease that replicas compete for.
const LeaseName = "everynode-controller"

// The lease's times, as the built-in controllers have them.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// ErrLeaseLost is what Lead returns when another replica may be acting: the process should end and start afresh.
var ErrLeaseLost = errors.New("the lease was lost, so another replica may be acting")

// Lead waits for the lease in that namespace and runs run while it is held. run's context ends when the lease is lost or
// ctx ends, before another replica can have it; Lead returns when run has. leading is told of both and may be nil.
func Lead(ctx context.Context, cfg *rest.Config, namespace string, leading func(bool), run func(context.Context) error) error {
	lock, err := leaseLock(cfg, namespace)
	if err != nil {
		return err
	}
	if leading == nil {
		leading = func(bool) {}
	}
	var started atomic.Bool
	done := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: LeaseName, Lock: lock,
		LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		ReleaseOnCancel: false, // it is left to run out: calls in flight may still land
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				leading(true)
				done <- run(ctx)
			},
			OnStoppedLeading: func() { leading(false) },
			OnNewLeader: func(identity string) {
				if identity == lock.Identity() {
					started.Store(true)
				}
			},
		},
	})
	if err != nil {
		return err
	}
	elect, stop := context.WithCancel(ctx)
	defer stop()
	over := make(chan struct{})
	go func() {
		elector.Run(elect)
		close(over)
	}()
	select {
	case err := <-done: // run ended by itself
		stop()
		<-over
		return err
	case <-over:
	}
	if ctx.Err() != nil && !started.Load() {
		return nil
	}
	err = <-done
	if ctx.Err() == nil {
		return errors.Join(ErrLeaseLost, err)
	}
	return err
}

// leaseLock is this replica's claim, under a name of its own.
func leaseLock(cfg *rest.Config, namespace string) (*resourcelock.LeaseLock, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.Timeout = renewDeadline / 2 // a renewal that hangs must not outlive the lease
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("the replica's name for the lease: %w", err)
	}
	return &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: LeaseName},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())},
	}, nil
}
