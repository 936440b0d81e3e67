package museum

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	if b.overlay, err = Overlay(root, b.dir, exhibits); err != nil {
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

var (
	violated = regexp.MustCompile(`seed (\d+): (I\d+) (.*)`)
	differs  = regexp.MustCompile(`seed (\d+): two runs differ`)
	panicked = regexp.MustCompile(`(?m)^panic: (.*)`)
	failed   = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
)

const simworld, explore = "internal/simworld", "internal/simworld/explore"

// inSchedules plays random schedules until one shows the exhibit. A schedule that fails without it too shows nothing.
func (b *build) inSchedules(t *testing.T, exhibit string, schedules int, limit time.Duration) catch {
	t.Helper()
	begin, used := time.Now(), time.Duration(0)
	play := func(exhibit string, first, n int, limit time.Duration) (string, bool, time.Duration) {
		return b.run(t, simworld, exhibit, limit+20*time.Second, "-test.run=^TestSeeds$", fmt.Sprint("-first=", first), fmt.Sprint("-seeds=", n), fmt.Sprint("-time=", limit))
	}
	for first := 1; first <= schedules && time.Since(begin) < limit; {
		out, ok, took := play(exhibit, first, schedules-first+1, limit-time.Since(begin))
		if used += took; ok {
			break
		}
		c := catch{took: used}
		switch v, d, p := violated.FindStringSubmatch(out), differs.FindStringSubmatch(out), panicked.FindStringSubmatch(out); {
		case v != nil:
			c.by, c.text, c.schedules = v[2], v[3], number(v[1])
		case d != nil:
			c.by, c.text, c.schedules = "two runs", d[0], number(d[1])
		case p != nil:
			return catch{by: "panic", text: p[1], took: c.took}
		default:
			t.Fatalf("exhibit %s: nobody understands this:\n%s", exhibit, out)
		}
		if _, sound, _ := play("", c.schedules, 1, time.Minute); sound {
			return c
		}
		first = c.schedules + 1
	}
	return catch{}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // it matched \d+
	}
	return n
}

// net is a test beside the random schedules.
type net struct{ pkg, pattern, name string }

// nets are tried in this order by those whom the random schedules do not catch.
var nets = []net{
	{simworld, "^Test(CrashPoints|Day)", "the simulated world"},
	{explore, "^TestPromises$", "the small world"},
	{"internal/plan", "^Fuzz", "properties of plan"},
	{"internal/fleet", "^Fuzz", "properties of fleet"},
	{"internal/revision", "^(Fuzz|TestProperty|TestWorld)", "properties of revision"},
	{"internal/match", "^(Fuzz|TestProperty)", "properties of match"},
}

// inOtherNets tries the other tests.
func (b *build) inOtherNets(t *testing.T, exhibit string) catch {
	t.Helper()
	for _, n := range nets {
		if out, ok, took := b.run(t, n.pkg, exhibit, 10*time.Minute, "-test.failfast", "-test.run="+n.pattern); !ok {
			c := catch{by: n.name, text: out, took: took}
			if f := failed.FindAllStringSubmatch(out, -1); len(f) > 0 {
				c.text = f[len(f)-1][1]
			}
			if _, sound, _ := b.run(t, n.pkg, "", 10*time.Minute, "-test.failfast", "-test.run="+n.pattern); sound {
				return c
			}
		}
	}
	return catch{}
}
