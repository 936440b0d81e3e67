package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

var (
	changes = flag.Int("changes", 24, "how many changes are planned, applied and compared")
	seed    = flag.Uint64("seed", 1, "which changes")
	planner = flag.String("planner", "", "the binary whose plan is tried: everynode or kubectl-everynode (default: the one that runs the lab)")
	beside  = flag.Int("beside", 6, "how many DaemonSets are changed at the same time")
)

// planned is what is read of `plan -o json`.
type planned struct {
	DaemonSets []struct {
		Kind  string
		Nodes struct {
			Gained, Lost                           []struct{ Node string }
			Replaced, OnDelete, Kept, NeverReached []string
		}
		Rollout struct {
			MaxUnavailable, MaxSurge, NeverReached int
			Surging                                bool
			Steps                                  []struct{ Nodes, Unavailable []string }
		}
		DoesNotFit []struct{ Node, Detail string }
	}
}

// TestPlanIsHonest plans each change, applies it, and compares: which nodes gain, lose, keep and replace a Pod, exactly; which
// nodes go first, exactly; and in which order each zone's nodes go.
func TestPlanIsHonest(t *testing.T) {
	lab := harness.Up(t, "--nodes-file", filepath.Join(harness.Root(), "test/plan/testdata/nodes.yaml"))
	zones := zonesOf(t, lab)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var running sync.WaitGroup
	each := (*changes + *beside - 1) / *beside
	kinds := make([]map[string]int, *beside)
	for i := range *beside {
		s := &subject{
			lab: lab, binary: harness.Binary(t), zones: zones, dir: t.TempDir(), dice: rand.New(rand.NewPCG(*seed, uint64(i))),
			shape: shape{name: fmt.Sprintf("d%d", i+1), port: 9000 + i, image: 1, unavailable: "1", surge: "0"}, kinds: map[string]int{},
		}
		s.record = watchPods(ctx, t, lab.Client, s.shape.name)
		kinds[i] = s.kinds
		running.Go(func() {
			for n := range each {
				if err := s.round(ctx, n); err != nil {
					t.Errorf("DaemonSet %s, change %d, seed %d: %v", s.shape.name, n+1, *seed, err)
					return
				}
			}
		})
	}
	running.Wait()
	all := map[string]int{}
	for _, k := range kinds {
		for name, n := range k {
			all[name] += n
		}
	}
	t.Logf("%d changes: %v", each**beside, all)
	if each**beside >= 24 && (all["gained"] == 0 || all["lost"] == 0 || all["replaced"] == 0 || all["kept"] == 0) {
		t.Errorf("the changes are too much alike to say anything: %v", all)
	}
}

// subject is one DaemonSet that is changed again and again.
type subject struct {
	lab    *harness.Lab
	binary string
	zones  map[string]string
	dir    string
	dice   *rand.Rand
	shape  shape
	record *record
	kinds  map[string]int
}

func zonesOf(t *testing.T, lab *harness.Lab) map[string]string {
	t.Helper()
	var out map[string]string
	harness.Eventually(t, harness.ReadyLimit, func() error {
		list, err := lab.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		out = map[string]string{}
		for _, n := range list.Items {
			if slices.ContainsFunc(n.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeNotReady }) {
				return fmt.Errorf("node %s still has the taint of its first moments", n.Name)
			}
			out[n.Name] = n.Labels[corev1.LabelTopologyZone]
		}
		return nil
	})
	return out
}

// round plans one change, applies it, waits until it has come as planned, and compares the order.
func (s *subject) round(ctx context.Context, n int) error {
	before := s.shape
	if n > 0 {
		s.shape = s.shape.change(s.dice)
	}
	file := filepath.Join(s.dir, fmt.Sprintf("%d.yaml", n))
	if err := os.WriteFile(file, []byte(s.shape.manifest()), 0o600); err != nil {
		return err
	}
	told, code, err := s.everynode(ctx, "plan", "-f", file, "-o", "json")
	if err != nil {
		return err
	}
	var p planned
	if err := json.Unmarshal(told, &p); err != nil || len(p.DaemonSets) != 1 {
		return fmt.Errorf("plan -o json: %w\n%s", err, told)
	}
	d := p.DaemonSets[0]
	if changed := d.Kind != "none"; changed != (code == 2) {
		return fmt.Errorf("plan says %s with exit code %d", d.Kind, code)
	}
	version := s.record.now()
	if out, _, err := s.everynode(ctx, "kubectl", "apply", "-f", file); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, out)
	}
	if d.Kind == "none" {
		s.kinds["none"]++
	}
	e, err := s.settled(ctx, version, func(e events) error { return s.compare(&p, e) })
	if err == nil {
		err = s.order(&p, e)
	}
	if err != nil {
		return fmt.Errorf("%w\nbefore: %+v\nafter:  %+v\nplan:   %s\nmade %v\ntold to go %v", err, before, s.shape, compact(told), e.made, e.told)
	}
	return nil
}

func compact(text []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
}

// everynode runs a command and gives its stdout; exit code 2 is an answer of plan.
func (s *subject) everynode(ctx context.Context, args ...string) (stdout []byte, code int, err error) {
	var errOut bytes.Buffer
	binary := s.binary
	if args[0] == "plan" && *planner != "" {
		binary = *planner
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "KUBECONFIG="+s.lab.Kubeconfig)
	cmd.Stderr = &errOut
	stdout, err = cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code = exit.ExitCode(); code == 2 && args[0] == "plan" {
			return stdout, code, nil
		}
		return stdout, code, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, errOut.String())
	}
	return stdout, 0, err
}

// settled waits until what happened is what was planned, and stays so.
func (s *subject) settled(ctx context.Context, version uint64, as func(events) error) (events, error) {
	const limit, calm = 90 * time.Second, 1500 * time.Millisecond
	deadline := time.Now().Add(limit)
	var since time.Time
	for {
		e, bad := s.record.since(version)
		if bad != "" {
			return e, errors.New(bad)
		}
		err := as(e)
		if err == nil {
			err = s.observed(ctx)
		}
		switch {
		case err != nil:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > calm:
			return e, nil
		}
		if time.Now().After(deadline) {
			return e, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// observed tells whether the controller has seen the change and its new Pods serve.
func (s *subject) observed(ctx context.Context) error {
	ds, err := s.lab.Client.AppsV1().DaemonSets("default").Get(ctx, s.shape.name, metav1.GetOptions{})
	switch {
	case err != nil:
		return err
	case ds.Status.ObservedGeneration != ds.Generation:
		return errors.New("the change has not been observed")
	case ds.Status.NumberAvailable != ds.Status.CurrentNumberScheduled:
		return fmt.Errorf("%d of %d Pods are available", ds.Status.NumberAvailable, ds.Status.CurrentNumberScheduled)
	}
	return nil
}

// compare holds the nodes of a plan to those of the record.
func (s *subject) compare(p *planned, e events) error {
	d := p.DaemonSets[0]
	want := map[string][]string{"gained": nil, "lost": nil, "replaced": d.Nodes.Replaced, "kept": slices.Concat(d.Nodes.Kept, d.Nodes.OnDelete, d.Nodes.NeverReached)}
	for _, n := range d.Nodes.Gained {
		want["gained"] = append(want["gained"], n.Node)
	}
	for _, n := range d.Nodes.Lost {
		want["lost"] = append(want["lost"], n.Node)
	}
	got := map[string][]string{}
	for node := range s.zones {
		old, had := e.had[node]
		now, has := e.has[node]
		var what string
		switch {
		case !had && has:
			what = "gained"
		case had && !has:
			what = "lost"
		case had && old == now:
			what = "kept"
		case had:
			what = "replaced"
		default:
			continue
		}
		got[what] = append(got[what], node)
	}
	for what, nodes := range want {
		slices.Sort(nodes)
		slices.Sort(got[what])
		if !slices.Equal(nodes, got[what]) {
			return fmt.Errorf("%s: planned %v, got %v", what, nodes, got[what])
		}
	}
	if e.leaving > 0 {
		return fmt.Errorf("%d Pods are still on their way out", e.leaving)
	}
	return nil
}

// order holds the order of a rollout to the plan's.
func (s *subject) order(p *planned, e events) error {
	d := p.DaemonSets[0]
	for what, n := range map[string]int{
		"gained": len(d.Nodes.Gained), "lost": len(d.Nodes.Lost), "replaced": len(d.Nodes.Replaced), "kept": len(d.Nodes.Kept),
		"on delete": len(d.Nodes.OnDelete), "does not fit": len(d.DoesNotFit), "never reached": len(d.Nodes.NeverReached), "steps": len(d.Rollout.Steps),
	} {
		if n > 0 {
			s.kinds[what]++
		}
	}
	width, happened := d.Rollout.MaxUnavailable, e.told
	if d.Rollout.Surging {
		width, happened = d.Rollout.MaxSurge, e.made
	}
	var turn []string
	for _, step := range d.Rollout.Steps {
		turn = append(turn, step.Nodes...)
	}
	happened = slices.DeleteFunc(slices.Clone(happened), func(node string) bool { return !slices.Contains(turn, node) })
	if len(turn) == 0 {
		return nil
	}
	if len(happened) != len(turn) {
		return fmt.Errorf("the rollout touched %v, planned %v", happened, turn)
	}
	first := slices.Sorted(slices.Values(d.Rollout.Steps[0].Nodes))
	if got := slices.Sorted(slices.Values(happened[:len(first)])); !slices.Equal(got, first) {
		return fmt.Errorf("first went %v, planned %v", got, first)
	}
	for _, zone := range []string{"local-a", "local-b"} {
		in := func(node string) bool { return s.zones[node] != zone }
		want, got := slices.DeleteFunc(slices.Clone(turn), in), slices.DeleteFunc(slices.Clone(happened), in)
		for i, node := range got {
			// Calls of one moment go out together, so those may overtake each other, but no more than that.
			if at := slices.Index(want, node); at-i >= width || i-at >= width {
				return fmt.Errorf("in zone %s nodes went %v, planned %v, %d at a time", zone, got, want, width)
			}
		}
	}
	return nil
}
