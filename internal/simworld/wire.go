package simworld

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// flight is one call that act carries out, as a coroutine: it runs until it sends a request or pauses, and goes on when the
// world has an answer.
type flight struct {
	r       *Replica
	call    act.Call
	started time.Time
	// horizon: what was committed before it, the process knew when it decided. slack is how late it may have seen things.
	horizon time.Time
	slack   time.Duration
	// life is the process, number counts the calls of the world.
	life, number int
	resume       func() (request, bool)
	stop         func()
	dead         bool
	lost         error // what became of the last request on its way; nil when its answer came home
	answer       act.Answer
	// pending is the request that has been sent and not answered.
	pending *request
}

// request is one thing that a flight asks of the world: a pause, or an answer of the API server.
type request struct {
	pause   time.Duration
	verb    string
	kind    apimodel.Kind
	name    string
	writes  bool
	guarded bool // a delete that carries a resourceVersion
	forces  bool // a delete without grace
	byUID   bool // a delete or patch that carries a UID
	serve   func()
	refuse  func(error)
	// state: whether it has reached the server, whether its sender still waits, and whether it leaves only when a process
	// that stands still goes on.
	served, abandoned, held bool
}

func (r *Replica) launch(c act.Call) {
	w := r.w
	w.calls++
	f := &flight{r: r, call: c, started: w.now, number: w.calls, life: r.life, horizon: r.horizon(), slack: r.worstLag + r.worstSlow}
	seq := func(yield func(request) bool) {
		line := &wire{f: f, yield: yield}
		f.answer = act.NewExecutor(line, timeOut, line.wait).Do(r.ctx, c)
	}
	f.resume, f.stop = iter.Pull(iter.Seq[request](seq))
	r.flights = append(r.flights, f)
	r.proceed(f)
}

// late tells that the flight's process was dead, or another led, when its request was carried out.
func (f *flight) late() bool {
	return f.dead || f.life != f.r.life || (f.r.w.elected() && f.r.w.lease.holder != f.r.lease.me)
}

// wire is the API as one flight sees it.
type wire struct {
	f     *flight
	yield func(request) bool
}

// send gives a request to the world and returns when its answer, or the end of waiting for it, is there.
func (l *wire) send(ctx context.Context, q request) error {
	if l.f.dead {
		return context.Canceled
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	l.f.lost = nil
	if !l.yield(q) {
		l.f.dead = true
		return context.Canceled
	}
	return l.f.lost
}

func (l *wire) wait(ctx context.Context, d time.Duration) {
	// A wait that is cut short shows in the context.
	_ = l.send(ctx, request{pause: d})
}

// ask sends a request whose answer is a value.
func ask[T any](ctx context.Context, l *wire, q request, serve func(s *apimodel.Server, actor string) (T, error)) (T, error) {
	var (
		none, out T
		err       error
	)
	q.serve = func() { out, err = serve(l.f.r.w.API, l.f.r.name) }
	q.refuse = func(e error) { out, err = none, e }
	if lost := l.send(ctx, q); lost != nil {
		return none, lost
	}
	return out, err
}

// seen is a Pod with the stamps as the process sees them, by the watch and by answers alike.
func (l *wire) seen(p *corev1.Pod, err error) (*corev1.Pod, error) {
	for _, x := range l.f.r.watches {
		if x.kind == apimodel.Pods && p != nil {
			return x.shifted(p), err
		}
	}
	return p, err
}

func (l *wire) GetNode(ctx context.Context, name string) (*corev1.Node, error) {
	return ask(ctx, l, request{verb: "get", kind: apimodel.Nodes, name: name}, func(s *apimodel.Server, _ string) (*corev1.Node, error) {
		return s.GetNode(name)
	})
}

func (l *wire) CreatePod(ctx context.Context, pod *corev1.Pod, o metav1.CreateOptions) (*corev1.Pod, error) {
	q := request{verb: "create", kind: apimodel.Pods, name: pod.Name, writes: len(o.DryRun) == 0}
	return l.seen(ask(ctx, l, q, func(s *apimodel.Server, actor string) (*corev1.Pod, error) { return s.CreatePod(actor, pod, o) }))
}

func (l *wire) GetPod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return l.seen(ask(ctx, l, request{verb: "get", kind: apimodel.Pods, name: name}, func(s *apimodel.Server, _ string) (*corev1.Pod, error) {
		return s.GetPod(namespace, name)
	}))
}

func (l *wire) PatchPod(ctx context.Context, namespace, name string, kind types.PatchType, body []byte) (*corev1.Pod, error) {
	q := request{verb: "patch", kind: apimodel.Pods, name: name, writes: true, byUID: namesUID(body)}
	return l.seen(ask(ctx, l, q, func(s *apimodel.Server, actor string) (*corev1.Pod, error) {
		return s.PatchPod(actor, namespace, name, kind, body)
	}))
}

// namesUID tells that a patch is for one object and no other of its name.
func namesUID(patch []byte) bool {
	var o metav1.PartialObjectMetadata
	return json.Unmarshal(patch, &o) == nil && o.UID != ""
}

func (l *wire) DeletePod(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	q := request{verb: "delete", kind: apimodel.Pods, name: name, writes: true}
	if p := o.Preconditions; p != nil {
		q.byUID, q.guarded = p.UID != nil, p.ResourceVersion != nil
	}
	q.forces = o.GracePeriodSeconds != nil && *o.GracePeriodSeconds == 0
	_, err := ask(ctx, l, q, func(s *apimodel.Server, actor string) (struct{}, error) {
		return struct{}{}, s.DeletePod(actor, namespace, name, o)
	})
	return err
}

func (l *wire) GetDaemonSet(ctx context.Context, namespace, name string) (*appsv1.DaemonSet, error) {
	ds, err := ask(ctx, l, request{verb: "get", kind: apimodel.DaemonSets, name: name}, func(s *apimodel.Server, _ string) (*appsv1.DaemonSet, error) {
		return s.GetDaemonSet(namespace, name)
	})
	return ds.DeepCopy(), err
}

func (l *wire) UpdateDaemonSetStatus(ctx context.Context, ds *appsv1.DaemonSet) (*appsv1.DaemonSet, error) {
	q := request{verb: "update", kind: apimodel.DaemonSets, name: ds.Name, writes: true}
	got, err := ask(ctx, l, q, func(s *apimodel.Server, actor string) (*appsv1.DaemonSet, error) {
		return s.UpdateDaemonSetStatus(actor, ds)
	})
	return got.DeepCopy(), err
}

func (l *wire) CreateRevision(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	q := request{verb: "create", kind: apimodel.Revisions, name: r.Name, writes: true}
	got, err := ask(ctx, l, q, func(s *apimodel.Server, actor string) (*appsv1.ControllerRevision, error) {
		return s.CreateRevision(actor, r)
	})
	return got.DeepCopy(), err
}

func (l *wire) GetRevision(ctx context.Context, namespace, name string) (*appsv1.ControllerRevision, error) {
	r, err := ask(ctx, l, request{verb: "get", kind: apimodel.Revisions, name: name}, func(s *apimodel.Server, _ string) (*appsv1.ControllerRevision, error) {
		return s.GetRevision(namespace, name)
	})
	return r.DeepCopy(), err
}

func (l *wire) UpdateRevision(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	q := request{verb: "update", kind: apimodel.Revisions, name: r.Name, writes: true}
	got, err := ask(ctx, l, q, func(s *apimodel.Server, actor string) (*appsv1.ControllerRevision, error) {
		return s.UpdateRevision(actor, r)
	})
	return got.DeepCopy(), err
}

func (l *wire) DeleteRevision(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	q := request{verb: "delete", kind: apimodel.Revisions, name: name, writes: true, byUID: o.Preconditions != nil && o.Preconditions.UID != nil}
	_, err := ask(ctx, l, q, func(s *apimodel.Server, actor string) (struct{}, error) {
		return struct{}{}, s.DeleteRevision(actor, namespace, name, o)
	})
	return err
}
