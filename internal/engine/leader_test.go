package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// quick are times for tests: nothing here waits longer than a lease.
var quick = times{duration: 2 * time.Second, renew: time.Second, retry: 50 * time.Millisecond, margin: 200 * time.Millisecond}

func holder(t *testing.T, client *fake.Clientset) string {
	t.Helper()
	l, err := client.CoordinationV1().Leases(DefaultNamespace).Get(context.Background(), LeaseName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

func TestTheLeaseIsKeptUntilTheWorkHasEnded(t *testing.T) {
	client := fake.NewClientset()
	ctx, cancel := context.WithCancel(t.Context())
	var told []bool
	atTheEnd := ""
	err := lead(ctx, client.CoordinationV1(), LeaderOptions{Identity: "one", Leading: func(yes bool) { told = append(told, yes) }}, quick,
		func(held context.Context) error {
			cancel()
			<-held.Done()
			time.Sleep(2 * quick.retry) // the last calls
			atTheEnd = holder(t, client)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if atTheEnd != "one" || holder(t, client) != "" {
		t.Errorf("at the end of the work %q had the lease, afterwards %q; want one and nobody", atTheEnd, holder(t, client))
	}
	if len(told) != 2 || !told[0] || told[1] {
		t.Errorf("told %v", told)
	}
}

func TestAReplicaStandsByAndTakesOver(t *testing.T) {
	client := fake.NewClientset()
	leading, end, following := make(chan struct{}), make(chan struct{}), make(chan string, 1)
	first := make(chan error, 1)
	go func() {
		first <- lead(t.Context(), client.CoordinationV1(), LeaderOptions{Identity: "one"}, quick, func(context.Context) error {
			close(leading)
			<-end
			return nil
		})
	}()
	<-leading
	second := make(chan error, 1)
	o := LeaderOptions{Identity: "two", Following: func(id string) { following <- id }}
	var firstEnded atomic.Bool
	go func() {
		second <- lead(t.Context(), client.CoordinationV1(), o, quick, func(context.Context) error {
			if !firstEnded.Load() {
				t.Error("both led at once")
			}
			return errors.New("what run said")
		})
	}()
	if id := <-following; id != "one" {
		t.Errorf("two follows %q, want one", id)
	}
	firstEnded.Store(true)
	close(end)
	if err := <-first; err != nil {
		t.Errorf("one: %v", err)
	}
	if err := <-second; err == nil || err.Error() != "what run said" {
		t.Errorf("two: %v", err)
	}
}

func TestALeaseThatAnotherHasTakenEndsTheWork(t *testing.T) {
	client := fake.NewClientset()
	var taken atomic.Bool
	client.PrependReactor("update", "leases", func(a clienttesting.Action) (bool, runtime.Object, error) {
		u, ok := a.(clienttesting.UpdateAction)
		if !ok {
			return true, nil, errors.New("an update that is none")
		}
		l, ok := u.GetObject().(*coordinationv1.Lease)
		if ok && taken.Load() && *l.Spec.HolderIdentity == "one" {
			return true, nil, apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, l.Name, errors.New("it changed"))
		}
		return false, nil, nil
	})
	err := lead(t.Context(), client.CoordinationV1(), LeaderOptions{Identity: "one"}, quick, func(held context.Context) error {
		leases := client.CoordinationV1().Leases(DefaultNamespace)
		l, err := leases.Get(held, LeaseName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		taken.Store(true)
		thief := "two"
		l.Spec.HolderIdentity = &thief
		if _, err := leases.Update(held, l, metav1.UpdateOptions{}); err != nil {
			return err
		}
		<-held.Done()
		return nil
	})
	if !errors.Is(err, ErrLeaseLost) || holder(t, client) != "two" {
		t.Errorf("error %v, the lease is with %q", err, holder(t, client))
	}
}

func TestALeaseThatCannotBeRenewedEndsTheWork(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("no store")
	})
	err := lead(t.Context(), client.CoordinationV1(), LeaderOptions{Identity: "one"}, quick, func(held context.Context) error {
		<-held.Done()
		return errors.New("what run said")
	})
	if !errors.Is(err, ErrLeaseLost) || err.Error() != ErrLeaseLost.Error()+"\nwhat run said" {
		t.Errorf("error %v", err)
	}
}

func TestWhoNeverLedEndsInPeace(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("no store")
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := lead(ctx, client.CoordinationV1(), LeaderOptions{Identity: "one"}, quick, func(context.Context) error {
		t.Error("it led")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The elector alone would end the work when its tries have failed for the renew time, counted from an answer that may have
// come late.
func TestTheGuardCountsFromWhenARenewalWasSent(t *testing.T) {
	held, lose := context.WithCancelCause(t.Context())
	g := &guard{times: quick, lose: lose}
	if err := g.renewed(time.Now().Add(-quick.duration+quick.margin), nil); err != nil {
		t.Fatal(err)
	}
	<-held.Done()
	if !errors.Is(context.Cause(held), ErrLeaseLost) {
		t.Errorf("it ended for %v", context.Cause(held))
	}
	refused := errors.New("refused")
	if err := g.renewed(time.Now(), refused); !errors.Is(err, refused) || !g.held() {
		t.Errorf("a renewal that failed: error %v, held %v", err, g.held())
	}
}

// A process that was stopped and goes on asks before it writes, and may do so before the timer that ends its work has run.
func TestALeaderThatStoodStillIsToldBeforeItWrites(t *testing.T) {
	ctx := fenced{t.Context(), &guard{over: time.Now().Add(-time.Millisecond)}}
	if ctx.Err() == nil {
		t.Error("a lease that has run out by the clock still lets its holder write")
	}
	select {
	case <-ctx.Done():
		t.Error("the timer has not run, but the context says so")
	default:
	}
	if ctx := (fenced{t.Context(), &guard{over: time.Now().Add(time.Minute)}}); ctx.Err() != nil {
		t.Errorf("a lease that is held ends with %v", ctx.Err())
	}
}
