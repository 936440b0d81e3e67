package oracle

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/fleet"
)

// TestSync compares one whole decision, creates, deletes, adoptions and status, with upstream's for random scenes.
func TestSync(t *testing.T) {
	scale(t, 5)
	u := newUpstream(t)
	tally := newTally()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes.Draw(t, "scene")
		o, why, numbers := u.compare(s)
		if why != "" {
			t.Fatalf("%s\n\n%s", why, s.text())
		}
		tally.add(s, o, numbers)
	})
	tally.report(t)
}

// scale changes the number of checks for the rest of a test: more by factor, or a fifth with -short.
func scale(t *testing.T, factor int) {
	f := flag.Lookup("rapid.checks")
	old := f.Value.String()
	n, err := strconv.Atoi(old)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		n /= 5
	} else {
		n *= factor
	}
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(old); err != nil {
			t.Error(err)
		}
	})
}

// tally counts what the scenes were about, so that a generator that asks nothing shows.
type tally struct {
	scenes  int
	numbers map[int]int
	cover   map[string]int
}

func newTally() *tally { return &tally{numbers: map[int]int{}, cover: map[string]int{}} }

func (c *tally) add(s *scene, o *ours, numbers []int) {
	c.scenes++
	for _, n := range numbers {
		c.numbers[n]++
	}
	is := map[string]bool{
		"equal as it is": len(numbers) == 0, "in place": s.rolling() && !s.surging(), "with surge": s.surging(), "OnDelete": s.onDelete,
		"adoption or release": o.before != nil, "nothing to do": len(o.reasons()) == 0, "being deleted": s.deleting,
	}
	for _, code := range o.reasons() {
		is[string(code)] = true
	}
	for _, w := range o.plan.Waits {
		is[string(w.Reason.Code)] = true
	}
	for what, yes := range is {
		if yes {
			c.cover[what]++
		}
	}
}

// wanted must all have come up: else the generator does not test what it is for.
var wanted = []fleet.Code{
	fleet.PodMissing, fleet.PodFailed, fleet.PodSucceeded, fleet.PodSurplus, fleet.NodeVanished, fleet.TaintNoExecute,
	fleet.NodeSelectorMismatch, fleet.NodeAffinityMismatch, fleet.TemplateOutdated, fleet.SurgeStarted, fleet.SurgeFinished,
	fleet.OldPodUnavailable, fleet.CapacityMoved, fleet.PodTerminating, fleet.FailureBackoff, fleet.BudgetUsed, fleet.MinReady,
	fleet.PodNotReady, fleet.NodeQuarantine, fleet.UpdateOnDelete,
}

func (c *tally) report(t *testing.T) {
	t.Logf("%d scenes compared, %d equal as they are", c.scenes, c.cover["equal as it is"])
	t.Logf("explained by number of docs/differences.md: %s", table(c.numbers))
	t.Logf("scenes with: %s", table(c.cover))
	for _, code := range wanted {
		if c.cover[string(code)] < c.scenes/2000 {
			t.Errorf("only %d scenes of %d came to %s", c.cover[string(code)], c.scenes, code)
		}
	}
}

func table[K int | string](counts map[K]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%v: %d", k, counts[k]))
	}
	return strings.Join(out, ", ")
}
