package simworld

import (
	"flag"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds  = flag.Uint64("seeds", 400, "how many schedules TestSeeds plays")
	first  = flag.Uint64("first", 1, "the first seed")
	seed   = flag.Uint64("seed", 0, "play only this seed, and show its transcript if it fails")
	limit  = flag.Duration("time", 0, "play no longer than this; 0 stands for until all seeds are played")
	twice  = flag.Uint64("twice", 10, "every how manieth seed is played twice and compared")
	detail = flag.Bool("detail", false, "print what was injected, checked and never met")
)

// TestSeeds plays random schedules and checks the invariants after every write. make soak plays more of them.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		w := Play(FromSeed(*seed), true)
		if testing.Verbose() || len(w.Found) > 0 {
			t.Logf("%s\n%s", FromSeed(*seed), w.Transcript())
		}
		tell(t, *seed, w)
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // worlds are small and short-lived
	var next atomic.Uint64
	next.Store(*first)
	begin := time.Now()
	var mu sync.Mutex
	var all Stats
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			var mine Stats
			for n := next.Add(1) - 1; n < *first+*seeds && !t.Failed() && (*limit == 0 || time.Since(begin) < *limit); n = next.Add(1) - 1 {
				w := Play(FromSeed(n), false)
				mine.Add(w.Stats)
				if len(w.Found) > 0 {
					tell(t, n, w)
				} else if n%*twice == 0 {
					if again := Play(FromSeed(n), false); again.Hash() != w.Hash() {
						t.Errorf("seed %d: two runs differ", n)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.Add(mine)
		})
	}
	group.Wait()
	took := time.Since(begin)
	t.Logf("%d schedules in %v, %.0f a second", all.Runs, took.Round(time.Second), float64(all.Runs)/took.Seconds())
	if *detail {
		t.Log(all.String())
	}
}

// tell reports violations; those of a seed in their smallest form, with the transcript.
func tell(t *testing.T, n uint64, w *World) {
	for _, v := range w.Found {
		t.Errorf("seed %d at commit %s: %s\n  again with: go test ./internal/simworld -run TestSeeds -seed %d", n, commit(), v, n)
	}
	if len(w.Found) == 0 || w.schedule.Seed != n {
		return
	}
	small := Shrink(w.schedule, w.Found[0].Invariant, 400)
	t.Logf("shrunk to %d steps and %d faults of requests:\n%s\n%s", len(small.Steps), len(small.Calls), small, Play(small, true).Transcript())
}

// commit is the one that the test was built from, as far as git tells.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
