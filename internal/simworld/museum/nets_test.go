package museum

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// build is one overlaid test binary for each package that has nets.
type build struct {
	root, dir, overlay string
	binaries           map[string]string
	used               time.Duration // of the processor
}

func newBuild(t *testing.T, exhibits []Exhibit) *build {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	b := &build{root: root, dir: t.TempDir(), binaries: map[string]string{}}
	if b.overlay, err = Overlay(root, b.dir, exhibits, map[string]string{simworld + "/museum_test.go": player}); err != nil {
		t.Fatal(err)
	}
	return b
}

// binary builds a package's tests with all exhibits in it.
func (b *build) binary(t *testing.T, pkg string) string {
	t.Helper()
	if b.binaries[pkg] == "" {
		to := filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "_")+".test")
		cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", b.overlay, "-o", to, "./"+pkg)
		cmd.Dir = b.root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the exhibits do not compile: %v\n%s", err, out)
		}
		b.binaries[pkg] = to
	}
	return b.binaries[pkg]
}

// run runs tests of a package with one exhibit switched on, or none. It gives what they say, whether they passed, and the
// processor's time that they took.
func (b *build) run(t *testing.T, pkg, exhibit string, timeout time.Duration, args ...string) (string, bool, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.binary(t, pkg), append(args, "-test.timeout="+timeout.String())...)
	cmd.Dir = filepath.Join(b.root, pkg)
	cmd.Env = append(os.Environ(), Switch+"="+exhibit, "GOMAXPROCS=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if out.Len() == 0 && err != nil {
		t.Fatalf("%s: %v", pkg, err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	b.used += used
	return out.String(), err == nil, used
}

// catch is how an exhibit was caught; by is empty if it was not.
type catch struct {
	by   string
	text string
	// schedules were played before, which took so much of the processor's time.
	schedules int
	took      time.Duration
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

const simworld, explore = "internal/simworld", "internal/simworld/explore"

// player is a test that the overlay adds to simworld: it plays schedules and says in one line what it found.
const player = `package simworld

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"
)

func TestMuseum(t *testing.T) {
	var first, n uint64
	var limit time.Duration
	if _, err := fmt.Sscan(os.Getenv("MUSEUM"), &first, &n, &limit); err != nil {
		t.Fatal(err)
	}
	debug.SetGCPercent(800)
	seed := first
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("found %d panic: %v", seed, r)
		}
	}()
	for begin := time.Now(); seed < first+n && time.Since(begin) < limit; seed++ {
		w := Play(FromSeed(seed), false)
		if len(w.Found) > 0 {
			t.Fatalf("found %d %s: %.200s", seed, w.Found[0].Invariant, w.Found[0].Text)
		}
		if seed%10 == 0 && Play(FromSeed(seed), false).Hash() != w.Hash() {
			t.Fatalf("found %d two-runs: they differ", seed)
		}
	}
}
`

var found = regexp.MustCompile(`found (\d+) (\S+): (.*)`)

// play plays up to n schedules from the first on, until one fails.
func (b *build) play(t *testing.T, exhibit string, first, n int, limit time.Duration) catch {
	t.Helper()
	t.Setenv("MUSEUM", fmt.Sprint(first, n, limit.Nanoseconds()))
	out, ok, took := b.run(t, simworld, exhibit, limit+30*time.Second, "-test.run=^TestMuseum$")
	if ok {
		return catch{took: took}
	}
	f := found.FindStringSubmatch(out)
	if f == nil && !strings.Contains(out, "panic: test timed out") {
		t.Fatalf("exhibit %s: nobody understands this:\n%s", exhibit, out)
	}
	if f == nil {
		t.Logf("exhibit %s: a schedule does not end, which says nothing", exhibit)
		return catch{took: took}
	}
	seed, err := strconv.Atoi(f[1])
	if err != nil {
		t.Fatal(err)
	}
	return catch{by: f[2], text: f[3], schedules: seed, took: took}
}

// inSchedules plays random schedules until one shows the exhibit. A schedule that fails without it too shows nothing.
func (b *build) inSchedules(t *testing.T, exhibit string, schedules int, limit time.Duration) catch {
	t.Helper()
	begin, took := time.Now(), time.Duration(0)
	for first := 1; first <= schedules && time.Since(begin) < limit; {
		c := b.play(t, exhibit, first, schedules-first+1, limit-time.Since(begin))
		took += c.took
		c.took = took
		if c.by == "" || b.play(t, "", c.schedules, 1, time.Minute).by == "" {
			return c
		}
		first = c.schedules + 1
	}
	return catch{}
}

// net is a test beside the random schedules. It is tried by exhibits in the packages that it runs.
type net struct{ pkg, pattern, name, of string }

// nets are tried in this order by those whom the random schedules do not catch.
var nets = []net{
	{simworld, "^TestKnownSeeds$", "known seeds", ""},
	{"internal/plan", "^(Fuzz|TestABookKeepsWhatComputeFinds)", "properties of plan", "internal/(plan|fleet|revision|match)/"},
	{"internal/fleet", "^(Fuzz|TestWhatWasToldIsKnown|TestAFleetKnowsWhatThereIs)", "properties of fleet", "internal/fleet/"},
	{"internal/revision", "^(Fuzz|TestReconcileSettles|TestTheYoungestStay)", "properties of revision", "internal/revision/"},
	{"internal/report", "^TestEveryNumberIsWritten$", "properties of report", "internal/report/"},
	{"internal/match", "^(Fuzz|TestVerdict|TestPure)", "properties of match", "internal/match/"},
	{explore, "^Test(Promises|OldStories)$", "the small world", "internal/(plan|fleet|revision|match)/"},
	{"internal/oracle", "^Test(Verdict|Data|Sync|History)$", "comparison with upstream", "internal/(plan|fleet|revision|match|report)/"},
	{simworld, "^Test(CrashPoints|ADayAtRest|OneInTroubleHoldsUpNoOther)$", "crash points", ""},
}

// holds tells whether the net runs what the exhibit changes.
func (n net) holds(x Exhibit) bool {
	return slices.ContainsFunc(x.Edits, func(e Edit) bool { return regexp.MustCompile(n.of).MatchString(e.File) })
}

// inOtherNets tries the other tests; of the crash points only some.
func (b *build) inOtherNets(t *testing.T, x Exhibit) catch {
	t.Helper()
	for _, n := range nets {
		if !n.holds(x) {
			continue
		}
		args := []string{"-test.failfast", "-test.short", "-test.run=" + n.pattern}
		if out, ok, took := b.run(t, n.pkg, x.Name, 10*time.Minute, args...); !ok {
			c := catch{by: n.name, text: out, took: took}
			if f := failed.FindAllStringSubmatch(out, -1); len(f) > 0 {
				c.text = f[len(f)-1][1]
			}
			if _, sound, _ := b.run(t, n.pkg, "", 10*time.Minute, args...); sound {
				return c
			}
		}
	}
	return catch{}
}
