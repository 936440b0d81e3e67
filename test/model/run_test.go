package model

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/act"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// slot is an object's place: its name, or a word for a name that is yet to be generated.
type slot struct {
	kind apimodel.Kind
	name string
}

// side is one of the two, with what it has answered.
type side struct {
	server
	seen  map[slot][]metav1.Object // all states of an object, and of those that had its name before, in order
	names map[slot]string          // what was generated
}

func (s *side) name(o slot) string {
	if n := s.names[o]; n != "" {
		return n
	}
	return o.name
}

func (s *side) last(o slot) metav1.Object {
	if n := len(s.seen[o]); n > 0 {
		return s.seen[o][n-1]
	}
	return nil
}

// op is one operation, to be done once on each side.
type op struct {
	text string
	on   slot
	do   func(s *side) (metav1.Object, error)
}

// run is one sequence.
type run struct {
	ctx         context.Context
	t           *testing.T
	dice        *rand.Rand
	namespace   string
	real, model *side
	r           cluster
	m           *modelled
	twins       *twins
	generated   int
	there       map[slot]bool
	pods        []slot
	closed      bool
	over        bool
	moments     []moment
	tally
	log, differences []string
}

func newRun(t *testing.T, client kubernetes.Interface, seed uint64, index int) *run {
	ns := fmt.Sprintf("m%d", index)
	r := &run{
		ctx: t.Context(), t: t, dice: rand.New(rand.NewPCG(seed, uint64(index))), namespace: ns, twins: newTwins(), there: map[slot]bool{},
		r: cluster{API: act.Cluster(client.CoreV1(), client.AppsV1()), client: client, namespace: ns}, m: newModelled(ns),
	}
	for i := range 4 {
		r.pods = append(r.pods, slot{apimodel.Pods, fmt.Sprintf("p%d", i)})
	}
	r.real = &side{server: r.r, seen: map[slot][]metav1.Object{}, names: map[slot]string{}}
	r.model = &side{server: r.m, seen: map[slot][]metav1.Object{}, names: map[slot]string{}}
	if err := open(r.ctx, client, ns); err != nil {
		t.Fatal(err)
	}
	return r
}

// play does a number of operations, and compares all that was to be seen from outside.
func (r *run) play(n int) {
	if r.dice.IntN(6) == 0 {
		r.limit()
	}
	r.moment()
	for range n {
		if len(r.differences) > 0 || r.over {
			return
		}
		r.step(r.next())
		if r.dice.IntN(8) == 0 && !r.over {
			r.moment()
		}
	}
	if len(r.differences) == 0 && !r.over {
		r.compareLists()
		r.compareEvents()
	}
}

func (r *run) differ(format string, args ...any) {
	r.differences = append(r.differences, fmt.Sprintf(format, args...))
}

// step does one operation on both sides and compares the answers, and what is there afterwards.
func (r *run) step(o op) {
	r.ops++
	r.log = append(r.log, fmt.Sprintf("%3d  %s", len(r.log), o.text))
	a, aerr := o.do(r.real)
	r.m.like = nil
	if aerr == nil && a != nil {
		r.m.like, _ = a.(runtime.Object)
	}
	b, berr := o.do(r.model)
	r.errors++
	x, ok := refusalOf(aerr)
	if !ok {
		r.t.Fatalf("%s: %v", o.text, aerr)
	}
	if aerr != nil {
		r.refused++
		r.log[len(r.log)-1] += fmt.Sprintf("  -> %d %s", x.code, x.reason)
	}
	if y, _ := refusalOf(berr); x != y {
		r.differ("error: real %+v %v\n      model %+v %v", x, aerr, y, berr)
		return
	}
	if aerr == nil && r.ownershipAlone(o.on, a, b) {
		r.dropped, r.over = r.dropped+1, true
		return
	}
	if aerr == nil {
		r.objects++
		for _, d := range r.twins.compare(a, b) {
			r.differ("answer: %s", d)
		}
		if o.on.name != "" && a != nil && r.real.names[o.on] == "" && a.GetGenerateName() != "" {
			r.real.names[o.on], r.model.names[o.on] = a.GetName(), b.GetName()
		}
	}
	if o.on.name != "" {
		r.look(o.on)
	}
}

// ownershipAlone tells of a write of the real server that changed nothing but managedFields, which the model leaves out. The
// versions of the two cannot be paired any more after that, so the sequence ends.
func (r *run) ownershipAlone(o slot, a, b metav1.Object) bool {
	was, ours := r.real.last(o), r.model.last(o)
	if a == nil || was == nil || a.GetResourceVersion() == was.GetResourceVersion() || b.GetResourceVersion() != ours.GetResourceVersion() {
		return false
	}
	bare := func(x metav1.Object) string {
		x = leftOut(x)
		x.SetResourceVersion("")
		return text(fields(x))
	}
	return bare(a) == bare(was) && text(a.GetManagedFields()) != text(was.GetManagedFields())
}

// look reads an object on both sides.
func (r *run) look(o slot) {
	a, aerr := r.get(r.real, o)
	b, berr := r.get(r.model, o)
	r.objects++
	if x, y := apierrors.IsNotFound(aerr), apierrors.IsNotFound(berr); x != y || (aerr != nil && !x) || (berr != nil && !y) {
		r.differ("stored: real %v, model %v", aerr, berr)
		return
	}
	r.there[o] = aerr == nil
	if aerr != nil {
		return
	}
	for _, d := range r.twins.compare(a, b) {
		r.differ("stored: %s", d)
	}
	if last := r.real.last(o); last == nil || last.GetResourceVersion() != a.GetResourceVersion() {
		r.real.seen[o], r.model.seen[o] = append(r.real.seen[o], a), append(r.model.seen[o], b)
	}
}

func (r *run) get(s *side, o slot) (metav1.Object, error) {
	switch o.kind {
	case apimodel.Nodes:
		return s.GetNode(r.ctx, s.name(o))
	case apimodel.Pods:
		return s.GetPod(r.ctx, r.namespace, s.name(o))
	case apimodel.DaemonSets:
		return s.GetDaemonSet(r.ctx, r.namespace, s.name(o))
	default:
		return s.GetRevision(r.ctx, r.namespace, s.name(o))
	}
}

// limit puts a quota on the Pods of the namespace: a real one, and a hook in the model that counts as quota does. The real
// one is known to the API server when it refuses, and then when it no longer does.
func (r *run) limit() {
	hard := 1 + r.dice.IntN(4)
	r.log = append(r.log, fmt.Sprintf("     quota of %d Pods", hard))
	quotas := r.r.client.CoreV1().ResourceQuotas(r.namespace)
	q, err := quotas.Create(r.ctx, quota(0), metav1.CreateOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, n := range []int{0, hard} {
		q.Spec.Hard = quota(n).Spec.Hard
		if q, err = quotas.Update(r.ctx, q, metav1.UpdateOptions{}); err == nil {
			q.Status = quota(n).Status
			q, err = quotas.UpdateStatus(r.ctx, q, metav1.UpdateOptions{})
		}
		if err != nil {
			r.t.Fatal(err)
		}
		r.until(func() bool {
			_, err := r.r.CreatePod(r.ctx, plainPod(r.namespace, "probe"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			return apierrors.IsForbidden(err) == (n == 0)
		})
	}
	used := 0
	r.m.s.Admit = func(pod *corev1.Pod, dryRun bool) error {
		if used+1 > hard {
			return apierrors.NewForbidden(corev1.Resource("pods"), pod.Name, errors.New("exceeded quota: q"))
		}
		if !dryRun {
			used++
		}
		return nil
	}
}
