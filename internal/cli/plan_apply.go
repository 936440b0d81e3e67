package cli

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/cli/manifest"
	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/preview"
	"github.com/everynode/everynode/internal/snapshot"
)

// applied gives the DaemonSets as they would be after `kubectl apply`.
func (p *planCmd) applied(ctx context.Context, w *snapshot.World, list []manifest.Manifest) ([]*appsv1.DaemonSet, error) {
	var client kubernetes.Interface
	if !p.Offline() {
		var err error
		if client, _, err = p.Client(); err != nil {
			return nil, err
		}
	}
	var out []*appsv1.DaemonSet
	for i := range list {
		ds, err := p.applyOne(ctx, client, w, &list[i])
		if err != nil {
			return nil, err
		}
		out = append(out, ds)
	}
	return out, nil
}

func (p *planCmd) applyOne(ctx context.Context, client kubernetes.Interface, w *snapshot.World, m *manifest.Manifest) (*appsv1.DaemonSet, error) {
	key := types.NamespacedName{Namespace: m.DaemonSet.Namespace, Name: m.DaemonSet.Name}
	var live *appsv1.DaemonSet
	if d := w.Fleet.Daemon(key); d != nil {
		live = d.Object
	}
	if client != nil {
		ds, err := dryRun(ctx, client, live, m)
		var status apierrors.APIStatus
		switch {
		case err == nil:
			return ds, nil
		case apierrors.IsInvalid(err) && errors.As(err, &status):
			return nil, refused(m, status.Status())
		case apierrors.IsForbidden(err), apierrors.IsNotFound(err) && live == nil:
			fmt.Fprintf(p.Streams.ErrOut, "note: no dry run for DaemonSet %s: %v; defaults are filled in here, and nothing but they is checked\n", key, err)
		default:
			return nil, &Error{What: fmt.Sprintf("the dry run for DaemonSet %s failed", key), Why: err.Error(), Now: "nothing was planned", Cause: err}
		}
	}
	ds, err := preview.Applied(live, m.JSON, w.Now)
	var invalid *preview.Invalid
	switch {
	case errors.As(err, &invalid):
		return nil, &Error{What: "the API server would refuse the manifest", Why: m.Broken(invalid.Field, invalid.Why).Error(), Now: "nothing was planned", Cause: err}
	case err != nil:
		return nil, &Error{What: fmt.Sprintf("DaemonSet %s (%s) cannot be worked out", key, m.From), Why: err.Error(), Now: "nothing was planned", Cause: err}
	}
	return ds, nil
}

// dryRun asks the API server what would come of it. The DaemonSet is read again, as a snapshot does not hold all of it.
func dryRun(ctx context.Context, client kubernetes.Interface, live *appsv1.DaemonSet, m *manifest.Manifest) (*appsv1.DaemonSet, error) {
	api := client.AppsV1().DaemonSets(m.DaemonSet.Namespace)
	all := []string{metav1.DryRunAll}
	if live == nil {
		return api.Create(ctx, m.DaemonSet, metav1.CreateOptions{DryRun: all})
	}
	fresh, err := api.Get(ctx, live.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	fresh.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"} // which typed clients drop, and the manifest has
	patch, err := preview.Patch(fresh, m.JSON)
	if err != nil {
		return nil, err
	}
	return api.Patch(ctx, live.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{DryRun: all})
}

// refused tells what the API server does not like, with the line that it stands on.
func refused(m *manifest.Manifest, s metav1.Status) error {
	e := &Error{What: "the API server would refuse the manifest", Why: s.Message, Now: "nothing was planned", Cause: &apierrors.StatusError{ErrStatus: s}}
	if s.Details != nil && len(s.Details.Causes) > 0 {
		e.Why = ""
		for i, c := range s.Details.Causes {
			if i > 0 {
				e.Why += "\n"
			}
			e.Why += m.Broken(c.Field, c.Message).Error()
		}
	}
	return e
}

// runners is who runs the DaemonSets, and how Pods are placed.
type runners struct {
	by        map[types.NamespacedName]snapshot.By
	placement plan.Placement
}

// runnersOf looks at the DaemonSets that are there; new ones will be run by whoever runs the others.
func runnersOf(w *snapshot.World, applied []*appsv1.DaemonSet) runners {
	out := runners{by: map[types.NamespacedName]snapshot.By{}}
	for _, ds := range applied {
		key := types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}
		if d := w.Fleet.Daemon(key); d != nil {
			r := w.Runner(d)
			out.by[key] = r.By
			if out.placement == "" {
				out.placement = r.Placement
			}
		}
	}
	for _, d := range w.Fleet.Daemons() {
		if r := w.Runner(d); out.placement == "" && r.By != snapshot.Nobody {
			out.placement = r.Placement
		}
	}
	if out.placement == "" {
		out.placement = plan.Direct
	}
	return out
}
