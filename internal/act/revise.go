package act

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/revision"
)

// revise carries out one change to the history.
func (x *Executor) revise(ctx context.Context, c Call) Answer {
	change := c.Action.Revision
	switch change.Kind {
	case revision.Create:
		return x.createRevision(ctx, c)
	case revision.Delete:
		actx, cancel := x.attempt(ctx)
		defer cancel()
		return answered(x.api.DeleteRevision(actx, c.Daemon.Namespace, change.Revision.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &change.Revision.UID}}))
	case revision.Adopt:
		if a, ok := x.alive(ctx, c.Daemon); !ok {
			return a
		}
	}
	actx, cancel := x.attempt(ctx)
	defer cancel()
	got, err := x.api.UpdateRevision(actx, change.Revision)
	a := answered(err)
	if err == nil {
		a.Revision = got
	}
	return a
}

// createRevision makes the revision of the current template. Where another holds its name, that one is used if it is the
// same, and collisionCount moves the name on if it is not (U192).
func (x *Executor) createRevision(ctx context.Context, c Call) Answer {
	want := c.Action.Revision.Revision
	actx, cancel := x.attempt(ctx)
	got, err := x.api.CreateRevision(actx, want)
	cancel()
	if err == nil {
		return Answer{Outcome: Done, Revision: got}
	}
	first := answered(err)
	if _, unknown, _ := classify(err); !unknown && !apierrors.IsAlreadyExists(err) {
		return first
	}
	held, err := persist(ctx, x, func(ctx context.Context) (*appsv1.ControllerRevision, error) {
		return x.api.GetRevision(ctx, want.Namespace, want.Name)
	})
	switch {
	case apierrors.IsNotFound(err):
		first.Outcome = Busy
		return first
	case err != nil:
		return answered(err)
	case revision.Collide(c.Daemon, held, want) != revision.Collision:
		return Answer{Outcome: Done, Revision: held}
	default:
		return x.countCollision(ctx, c, held)
	}
}

// countCollision raises collisionCount by one, if nobody has since the plan was made.
func (x *Executor) countCollision(ctx context.Context, c Call, held *appsv1.ControllerRevision) Answer {
	actx, cancel := x.attempt(ctx)
	live, err := x.api.GetDaemonSet(actx, c.Daemon.Namespace, c.Daemon.Name)
	cancel()
	switch {
	case err != nil:
		return answered(err)
	case live.UID != c.Daemon.UID:
		return Answer{Outcome: Gone, Err: fmt.Errorf("DaemonSet %s/%s was replaced", live.Namespace, live.Name)}
	case !equalCounts(live.Status.CollisionCount, c.Daemon.Status.CollisionCount):
		return Answer{Outcome: Done, DaemonSet: live} // the next plan tries the name that goes with the new count
	}
	n := int32(1)
	if live.Status.CollisionCount != nil {
		n = *live.Status.CollisionCount + 1
	}
	live.Status.CollisionCount = &n
	a := x.putStatus(ctx, live)
	if a.Outcome != Done {
		a.Err = fmt.Errorf("the revision name %s is held by another object, and collisionCount could not be raised: %w", held.Name, a.Err)
	}
	return a
}

func equalCounts(a, b *int32) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
