package command

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

// A controller's work is many small steps that goroutines hand on: network, decoder, loop, network. With one processor they follow
// one another; with several, each hand-over wakes a thread, which takes a third of all CPU. So one is used as long as it is enough.
const (
	// processorsEvery is how often the load is looked at.
	processorsEvery = time.Second
	// processorFull is the share of one processor above which all are used; processorCalm is what all together have to stay below,
	// for processorPatience, until one is enough again.
	processorFull, processorCalm = 0.7, 0.4
	processorPatience            = 30 * time.Second
)

// processors decides whether one processor is enough.
type processors struct {
	all       bool
	calmSince time.Time
}

// next takes in what share of one processor was used until now, and tells whether all are to be used.
func (p *processors) next(used float64, now time.Time) bool {
	switch {
	case !p.all:
		p.all, p.calmSince = used >= processorFull, now
	case used >= processorCalm:
		p.calmSince = now
	case now.Sub(p.calmSince) >= processorPatience:
		p.all = false
	}
	return p.all
}

// Facts live long and what is read for them is small: collecting garbage often takes little, as long as there is enough of it.
const (
	// garbageAlways is how much garbage there may always be, in bytes; garbageShare is how much there may be of what is in use, in
	// percent, up to garbageShared bytes, and garbageLeast what there may be of a heap however large. Go's own is 100 %.
	garbageAlways = 8 << 20
	garbageShare  = 150
	garbageShared = 32 << 20
	garbageLeast  = 40
	// garbageMost is what a heap is limited to that has hardly begun to grow, in percent.
	garbageMost = 400
)

// garbagePercent is how much garbage may come on top of so many bytes in use before it is collected, in percent.
func garbagePercent(live uint64) int {
	live = max(live, 1)
	garbage := max(garbageAlways, live*garbageLeast/100, min(live*garbageShare/100, garbageShared))
	return int(min(garbage*100/live, garbageMost)) //nolint:gosec // it is no more than that
}

// spareMemory sets that anew after each collection, so that a heap that grows fast has not the garbage of a small one. Who sets GOGC has
// the last word.
func spareMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	debug.SetGCPercent(garbagePercent(sample[0].Value.Uint64()))
	runtime.SetFinalizer(new(afterCollection), func(*afterCollection) { spareMemory() })
}

// afterCollection is an object that nobody uses, so that the next collection tells of it.
type afterCollection struct{ _ [16]byte }

// spareProcessors uses one processor while that is enough, until ctx ends. Who sets GOMAXPROCS has the last word.
func spareProcessors(ctx context.Context, log *slog.Logger) {
	if os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 {
		return
	}
	defer runtime.SetDefaultGOMAXPROCS()
	runtime.GOMAXPROCS(1)
	ticker := time.NewTicker(processorsEvery)
	defer ticker.Stop()
	var p processors
	last, before := time.Now(), used()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, cpu := time.Now(), used()
		was := p.all
		if all := p.next(float64(cpu-before)/float64(now.Sub(last)), now); all != was {
			if all {
				runtime.SetDefaultGOMAXPROCS()
			} else {
				runtime.GOMAXPROCS(1)
			}
			log.Debug("processors", "used", runtime.GOMAXPROCS(0))
		}
		last, before = now, cpu
	}
}

// used is the CPU time of this process; zero where the system does not tell.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
