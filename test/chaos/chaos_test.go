package chaos

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	chaosTime = flag.Duration("chaos", 75*time.Second, "how long faults are dealt")
	chaosSeed = flag.Uint64("chaos-seed", 0, "which faults in which order; 0 is any")
	nodeCount = flag.Int("chaos-nodes", 200, "simulated nodes")
)

// silence is how long nothing may be written in the end.
const silence = 20 * time.Second

// TestChaos deals faults to the real processes while rollouts run, and judges the whole history.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 32)
	}
	t.Logf("again with: go test ./test/chaos -v -run TestChaos -chaos %s -chaos-seed %d", *chaosTime, seed)
	ctx, cancel := context.WithCancel(context.Background())
	w := newWorld(ctx, t, *nodeCount)
	t.Cleanup(cancel) // before the files are removed
	c := &chaos{world: w, seed: seed, dealt: map[string]int{}}
	if err := w.createDaemons(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.settle(ctx); err != nil {
		t.Fatalf("before any fault: %v", err)
	}
	w.tell("both DaemonSets are on %d nodes", *nodeCount)

	until := time.Now().Add(*chaosTime)
	var changes int
	rolled := make(chan error, 1)
	go func() {
		var err error
		changes, err = c.rollOut(ctx, until)
		rolled <- err
	}()
	if err := c.run(ctx, until); err != nil {
		t.Fatal(err)
	}
	if err := <-rolled; err != nil {
		t.Fatal(err)
	}
	w.tell("no more faults")
	if err := w.settle(ctx); err != nil {
		t.Errorf("it does not settle: %v", err)
	} else {
		w.tell("settled")
		w.quiet(ctx)
	}
	c.verdict(changes)
}

// settle waits until the history shows the end state.
func (w *world) settle(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		err := w.judge.unsettled()
		if err == nil {
			return w.recorder.sync(ctx)
		}
		if pause(limit, retryEvery) != nil {
			return fmt.Errorf("after %s: %w", settleLimit, err)
		}
	}
}

// quiet looks whether anything but leases is written to what the controllers write to, once the last events are out.
func (w *world) quiet(ctx context.Context) {
	if err := pause(ctx, 3*time.Second); err != nil {
		w.t.Fatal(err)
	}
	since := time.Now()
	if err := pause(ctx, silence); err != nil {
		w.t.Fatal(err)
	}
	if err := w.recorder.sync(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.judge.mu.Lock()
	last := w.judge.seen.lastWrite
	w.judge.mu.Unlock()
	if last.After(since) {
		w.t.Errorf("%.1fs after it settled there is still a write to Pods, DaemonSets, revisions or events", last.Sub(since).Seconds()+3)
	}
	a, err := readAudit(w.path("audit.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	if a.last.After(since) {
		w.t.Errorf("the controllers wrote %.1fs after it settled", a.last.Sub(since).Seconds()+3)
	}
}

// verdict prints what there was and fails the test for what must never be.
func (c *chaos) verdict(changes int) {
	t := c.t
	a, err := readAudit(c.path("audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	reconnected, gap := c.recorder.state()
	if gap != nil {
		t.Errorf("the history has a gap: %v", gap)
	}
	j := c.judge
	j.mu.Lock()
	defer j.mu.Unlock()
	unlogged, others := a.blame(j.seen.removals)
	line := func(name, format string, args ...any) { t.Logf("  %-16s %s", name, fmt.Sprintf(format, args...)) }
	t.Log("what there was:")
	line("faults", "%s", counts(c.dealt))
	line("rollouts", "%d template changes, %d rolled out", changes, j.seen.rollouts)
	line("leaders", "the lease was taken %d times", j.seen.leaders)
	line("controllers", "%s; %d refused", counts(a.writes), a.refused)
	line("Pods", "%d made, %d removed by the controllers, %d by the chaos", j.seen.made, j.seen.removed, j.seen.removedByChaos)
	line("history", "%d changes in etcd, none missed; the recorder reconnected %d times", j.seen.changes, reconnected)
	line("audit log", "%d removals were not logged by a killed server, %d were of somebody else, %d lines are torn", unlogged, len(others), a.torn)
	for _, o := range others {
		t.Logf("      %s", o)
	}
	line("checks", "%d of Pods made or removed, %d slots left out as disturbed, %d deletes for their UID (%d more were refused unread)", j.seen.checks, j.seen.exempt, a.deletes, a.unread)
	line("at worst", "%d of %d nodes at once had lost their Pod to a rollout; %d old Pods waited for a new one beside them", j.seen.mostOut, j.budget(), j.seen.surges)
	line("after the lease", "%d writes to Pods by a replica after another one had the lease %s", len(a.late), strings.Join(a.late[:min(3, len(a.late))], ", "))
	for _, k := range c.keepers() {
		line(k.name, "started %d times, ended unasked %d times", k.lives(), len(k.unasked()))
		for _, e := range k.unasked() {
			t.Logf("      %s", e)
		}
	}
	if len(a.withoutUID) > 0 {
		t.Errorf("%d deletes by the controllers name no UID: %v", len(a.withoutUID), a.withoutUID[:min(5, len(a.withoutUID))])
	}
	for i, v := range j.violations {
		t.Errorf("violation: %s", v.text)
		if i < evidence {
			v.show(t, a)
		}
	}
	if t.Failed() {
		t.Logf("the seed was %d", c.seed)
	}
}

// evidence is for how many violations the history is shown.
const evidence = 8

// show prints what etcd and the audit log have about it. The recorder's clock is when it heard of a revision.
func (v violation) show(t *testing.T, a *audit) {
	t.Logf("the slot up to then:\n%s", strings.Join(v.log, "\n"))
	for _, name := range v.pods {
		t.Logf("the audit log about %s:\n  %s", name, a.around(name, v.at))
	}
}

func counts(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[name], name))
	}
	return strings.Join(parts, ", ")
}
