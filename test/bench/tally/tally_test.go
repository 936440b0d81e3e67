package tally

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestMedians(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Range
	}{
		{nil, Range{}},
		{[]float64{3}, Range{3, 3, 1}},
		{[]float64{4, 2}, Range{2, 3, 2}},
		{[]float64{9, 1, 5}, Range{1, 5, 3}},
		{[]float64{8, 1, 2, 4}, Range{1, 3, 4}},
	} {
		if got := Of(c.values); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.values, got, c.want)
		}
	}
}

// sample of the first Pods with one call for each Pod.
func sample(contender string, round int, wall, cpu float64, calls map[string]int) Sample {
	return Sample{Size: "1x1000", Contender: contender, Round: round, Phase: "first", Wall: wall, CPU: cpu, ServerCPU: 10, Calls: calls, Peak: 100, Settled: 50}
}

func samples() []Sample {
	failed := sample(Everynode, 3, 0.001, 0.001, nil)
	failed.Failed = "there are 999 Pods, want 1000"
	return []Sample{
		sample(Floor, 1, 4, 0.5, map[string]int{"create pods": 1000}),
		sample("upstream-2", 1, 10, 4, map[string]int{"create pods": 1000, "create events": 1000, "update daemonsets/status": 40}),
		sample("upstream-2", 2, 12, 6, map[string]int{"create pods": 1000, "create events": 1000, "update daemonsets/status": 50}),
		sample("upstream-20", 1, 8, 8, map[string]int{"create pods": 1000}),
		sample("upstream-20", 2, 8, 8, map[string]int{"create pods": 1000}),
		sample(UpstreamDefault, 1, 50, 1, nil),
		sample(Everynode, 1, 4, 1, map[string]int{"create pods": 1000}),
		sample(Everynode, 2, 6, 2, map[string]int{"create pods": 1000, "create pods 409": 2}),
		failed,
	}
}

func TestTheBetterUpstreamCountsForEachMetric(t *testing.T) {
	b := NewBook(samples())
	wall, cpu := Metrics[0], Metrics[1]
	// 5 : 8, the wall of 20 workers; 1.5 : 5, the CPU of two.
	if r, ok := b.Ratio("1x1000", "first", Everynode, wall); !ok || r != 0.625 {
		t.Errorf("wall: %v, %v; want 0.625", r, ok)
	}
	if r, ok := b.Ratio("1x1000", "first", Everynode, cpu); !ok || r != 0.3 {
		t.Errorf("CPU: %v, %v; want 0.3", r, ok)
	}
	if r, ok := b.Ratio("1x1000", "first", EverynodeDefault, wall); ok {
		t.Errorf("what was not measured has the ratio %v", r)
	}
	if r, ok := b.Ratio("1x1000", "rolling", Everynode, wall); ok {
		t.Errorf("a phase that was not played has the ratio %v", r)
	}
}

// Two hundredths of a second are no ratio to four.
func TestWhatIsNextToNothingIsNotCompared(t *testing.T) {
	for _, c := range []struct {
		theirs, ours float64
		want         bool
	}{{0.04, 0.02, false}, {0.0001, 0.1, false}, {0.1, 0.3, true}, {0.3, 0.1, true}} {
		b := NewBook([]Sample{sample("upstream-2", 1, c.theirs, 1, nil), sample(Everynode, 1, c.ours, 1, nil)})
		if r, ok := b.Ratio("1x1000", "first", Everynode, Metrics[0]); ok != c.want {
			t.Errorf("%v s and %v s: ratio %v, %v; want %v", c.theirs, c.ours, r, ok, c.want)
		}
	}
}

func TestOutOfTheBoxIsComparedWithOutOfTheBox(t *testing.T) {
	for _, c := range []struct {
		ours, theirs string
		want         bool
	}{
		{Everynode, "upstream-2", true},
		{Everynode, "upstream-20", true},
		{Everynode, UpstreamDefault, false},
		{Everynode, Floor, false},
		{EverynodePinned, "upstream-2", true},
		{EverynodePinned, UpstreamDefault, false},
		{EverynodeDefault, UpstreamDefault, true},
		{EverynodeDefault, "upstream-2", false},
		{Floor, "upstream-2", false},
	} {
		if got := Rival(c.ours, c.theirs); got != c.want {
			t.Errorf("%s against %s: %v, want %v", c.ours, c.theirs, got, c.want)
		}
	}
}

func TestTheTables(t *testing.T) {
	f := File{Runs: []Run{{
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Version: "v1", Samples: samples(),
		Machine: Machine{2, "Some CPU", 16, "6.1", "go1.26", "0.50"}, Settings: Settings{3, 5000, 10000},
	}}}
	got := Tables(f)
	for _, want := range []string{
		"Run of 2026-01-02 03:04 UTC: everynode v1; 2 processors (Some CPU), 16 GiB, Linux 6.1, go1.26; load at the start 0.50; rounds: 3; clients may send 5000 requests a second, 10000 at once.\n",
		"### 1 DaemonSet, 1000 nodes\n",
		"| phase | contender | wall | CPU  | API server CPU | calls | peak | settled |\n",
		"| first | everynode | 0.62 | 0.30 | 1.00           | 1.00  | 1.00 | 1.00    |\n",
		"\nWhere upstream is as good, 0.90 or more:\n\n- first, everynode: API server CPU 1.00, calls 1.00, peak 1.00, settled 1.00\n",
		"| first | floor            | 4.00          | 0.50        | 10.0             | 1000        | 100      | 50          |\n| first | upstream-2 ",
		"| first | upstream-2       | 10.00 / 11.00 | 4.00 / 5.00 | 10.0             | 2040 / 2045 | 100      | 50          |\n| first | upstream-20 ",
		"| first | upstream-2       | 1000 create events, 1000 create pods, 45 update daemonsets/status |\n",
		"| first | everynode        | 1000 create pods, 1 create pods 409 ",
		"- 1x1000, round 3, everynode, first: failed: there are 999 Pods, want 1000\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestAResultCanBeReadAgain(t *testing.T) {
	var buf bytes.Buffer
	if err := (File{Runs: []Run{{Version: "v1", Samples: samples()}}}).Write(&buf); err != nil {
		t.Fatal(err)
	}
	f, err := Read(&buf)
	if err != nil || len(f.Samples()) != len(samples()) || f.Samples()[2].Calls["update daemonsets/status"] != 50 {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := Read(strings.NewReader(`{"schema":"x/v0"}`)); err == nil || !strings.Contains(err.Error(), `schema "x/v0"`) {
		t.Errorf("another schema: %v", err)
	}
}

func TestOnlyThePlaceBetweenTheMarksChanges(t *testing.T) {
	doc := "# Title\n" + Begin + "\nold\n" + End + "\nbelow\n"
	got, err := Insert(doc, "new\n")
	if want := "# Title\n" + Begin + "\n\nnew\n\n" + End + "\nbelow\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if again, err := Insert(got, "new\n"); err != nil || again != got {
		t.Errorf("a second time it becomes %q, %v", again, err)
	}
	for _, bad := range []string{"", End + Begin, Begin} {
		if _, err := Insert(bad, "x"); err == nil {
			t.Errorf("%q has no place, and no error is given", bad)
		}
	}
}
