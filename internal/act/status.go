package act

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/everynode/everynode/internal/report"
)

// writeStatus writes the numbers. On a conflict they are put once into the live object, whose other fields stay (U221).
func (x *Executor) writeStatus(ctx context.Context, c Call) Answer {
	ds := *c.Daemon // shallow: only the status differs
	ds.Status = *c.Status
	a := x.putStatus(ctx, &ds)
	if a.Outcome != Conflict {
		return a
	}
	actx, cancel := x.attempt(ctx)
	live, err := x.api.GetDaemonSet(actx, ds.Namespace, ds.Name)
	cancel()
	switch {
	case err != nil:
		return answered(err)
	case live.UID != ds.UID:
		return Answer{Outcome: Gone, Err: fmt.Errorf("DaemonSet %s/%s was replaced", ds.Namespace, ds.Name)}
	}
	merged := report.Merge(live.Status, *c.Status)
	if !report.Differs(live.Status, merged) {
		return Answer{Outcome: Done, DaemonSet: live}
	}
	live.Status = merged
	return x.putStatus(ctx, live)
}

func (x *Executor) putStatus(ctx context.Context, ds *appsv1.DaemonSet) Answer {
	actx, cancel := x.attempt(ctx)
	defer cancel()
	got, err := x.api.UpdateDaemonSetStatus(actx, ds)
	a := answered(err)
	if err == nil {
		a.DaemonSet = got
	}
	return a
}
