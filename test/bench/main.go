package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/everynode/everynode/test/bench/tally"
	"github.com/everynode/everynode/test/harness"
)

// version is set when the binary is built.
var version = "dev"

// size is DaemonSets x nodes.
type size struct{ daemons, nodes int }

func (s size) String() string { return fmt.Sprintf("%dx%d", s.daemons, s.nodes) }

// options are the flags.
type options struct {
	sizes      []size
	phases     []phase
	contenders []contender
	rounds     int
	qps        float64
	burst      int
	bin        string // directory of the binaries
	out, doc   string
	from       []string
	profile    string
}

func main() {
	// Watches that a busy API server ends are begun again; client-go's log of that would stand between the lines.
	klog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	var results tally.File
	for _, path := range o.from {
		f, err := read(path)
		if err != nil {
			return err
		}
		results.Runs = append(results.Runs, f.Runs...)
	}
	var failed error
	if len(o.from) == 0 {
		failed = measure(ctx, o, func(r tally.Run) error {
			results.Runs = []tally.Run{r}
			return write(o.out, results)
		})
		fmt.Fprintf(os.Stderr, "all samples: %s\n", o.out)
	}
	text := tally.Tables(results)
	fmt.Println(strings.TrimSpace(text))
	if o.doc != "" && failed == nil {
		failed = insert(o.doc, text)
	}
	return failed
}

func parse(args []string) (options, error) {
	o := options{}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := fs.String("sizes", "1x1000", "DaemonSets x nodes, separated by commas")
	phases := fs.String("phases", "all", "phases to play, separated by commas: "+strings.Join(phaseNames(), ","))
	modes := fs.String("modes", "direct", "how everynode places Pods: direct, scheduler or both, separated by commas")
	contenders := fs.String("contenders", "floor,upstream-2,upstream-20,everynode", "who plays: floor, upstream-N (N workers), upstream-default, everynode, everynode-default")
	fs.IntVar(&o.rounds, "rounds", 1, "how often each contender plays; every second round is in reverse order")
	fs.Float64Var(&o.qps, "qps", 5000, "requests a second that each client may send")
	fs.IntVar(&o.burst, "burst", 10000, "how far that may be exceeded for a moment")
	fs.StringVar(&o.bin, "bin", filepath.Join(harness.Root(), "bin"), "where the binaries are")
	fs.StringVar(&o.out, "o", filepath.Join(harness.Root(), "bin", "bench", "result.json"), "where to write all samples")
	fs.StringVar(&o.doc, "doc", "", "document to write the tables into")
	from := fs.String("from", "", "measure nothing; show these results, separated by commas")
	fs.StringVar(&o.profile, "profile", "", "directory for profiles of everynode, of CPU and allocations in each phase; a binary that profiles itself plays then")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if *from != "" {
		o.from = strings.Split(*from, ",")
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag: see -help", fs.Arg(0))
	}
	if o.rounds < 1 || o.qps <= 0 || o.burst < 1 {
		return o, fmt.Errorf("-rounds=%d -qps=%g -burst=%d: each has to be above 0", o.rounds, o.qps, o.burst)
	}
	var err error
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return o, err
		}
	}
	if o.sizes, err = each(*sizes, parseSize); err != nil {
		return o, err
	}
	if o.phases, err = choosePhases(*phases); err != nil {
		return o, err
	}
	o.contenders, err = chooseContenders(*contenders, *modes)
	return o, err
}

// each reads a list that is separated by commas.
func each[T any](list string, read func(string) (T, error)) ([]T, error) {
	var all []T
	for word := range strings.SplitSeq(list, ",") {
		v, err := read(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func parseSize(text string) (size, error) {
	d, n, ok := strings.Cut(text, "x")
	daemons, err1 := strconv.Atoi(d)
	nodes, err2 := strconv.Atoi(n)
	// A simulated node takes 110 Pods, and some of them twice while they are replaced.
	if !ok || err1 != nil || err2 != nil || daemons < 1 || nodes < 1 || daemons > 50 {
		return size{}, fmt.Errorf("size %q: write DaemonSets x nodes, as 20x1000, with at most 50 DaemonSets", text)
	}
	return size{daemons, nodes}, nil
}
