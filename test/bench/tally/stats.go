package tally

import (
	"slices"
	"strings"
)

// Range is what is told of several measurements of the same thing.
type Range struct {
	Min, Median float64
	N           int
}

// Of gives the range of values; an even number of them has the mean of the two in the middle as median.
func Of(values []float64) Range {
	if len(values) == 0 {
		return Range{}
	}
	v := slices.Clone(values)
	slices.Sort(v)
	n := len(v)
	return Range{Min: v[0], Median: (v[(n-1)/2] + v[n/2]) / 2, N: n}
}

// Metric is one of the things that are measured.
type Metric struct {
	Name string
	of   func(Sample) float64
	// digits after the point.
	digits int
	// least is below what there is too little of it to be compared.
	least float64
}

// Metrics are those of the tables, in order.
var Metrics = []Metric{
	{"wall s", func(s Sample) float64 { return s.Wall }, 2, 0.2},
	{"CPU s", func(s Sample) float64 { return s.CPU }, 2, 0.05},
	{"API server CPU s", func(s Sample) float64 { return s.ServerCPU }, 1, 0.5},
	{"calls", func(s Sample) float64 { return float64(s.Requests()) }, 0, 0},
	{"peak MiB", func(s Sample) float64 { return s.Peak }, 0, 0},
	{"settled MiB", func(s Sample) float64 { return s.Settled }, 0, 0},
}

// Requests is the number of all calls.
func (s Sample) Requests() int {
	n := 0
	for _, calls := range s.Calls {
		n += calls
	}
	return n
}

// Names of the contenders. The upstream ones are followed by their number of workers.
const (
	Floor            = "floor"
	Upstream         = "upstream-"
	UpstreamDefault  = "upstream-default"
	Everynode        = "everynode"
	EverynodePinned  = "everynode-scheduler"
	EverynodeDefault = "everynode-default"
)

// Rival tells whether one contender is measured against the other: with the same limits for both, or as they come.
func Rival(ours, upstream string) bool {
	if !strings.HasPrefix(upstream, Upstream) {
		return false
	}
	switch ours {
	case Everynode, EverynodePinned:
		return upstream != UpstreamDefault
	case EverynodeDefault:
		return upstream == UpstreamDefault
	}
	return false
}

// key names what is measured several times.
type key struct{ size, phase, contender string }

// Book holds samples by what they measure.
type Book struct {
	samples []Sample
	good    map[key][]Sample
}

// NewBook sorts the samples in; those that failed count for nothing and are told by Failures.
func NewBook(samples []Sample) *Book {
	b := &Book{samples: samples, good: map[key][]Sample{}}
	for _, s := range samples {
		if s.Failed == "" {
			k := key{s.Size, s.Phase, s.Contender}
			b.good[k] = append(b.good[k], s)
		}
	}
	return b
}

// Range is what was measured; N is zero if nothing was.
func (b *Book) Range(size, phase, contender string, m Metric) Range {
	var values []float64
	for _, s := range b.good[key{size, phase, contender}] {
		values = append(values, m.of(s))
	}
	return Of(values)
}

// Best is the lowest median among the rivals of ours: upstream with the number of workers that does better here.
func (b *Book) Best(size, phase, ours string, m Metric) (Range, bool) {
	var best Range
	for _, c := range distinct(b.samples, func(s Sample) string { return s.Contender }) {
		if !Rival(ours, c) {
			continue
		}
		if r := b.Range(size, phase, c, m); r.N > 0 && (best.N == 0 || r.Median < best.Median) {
			best = r
		}
	}
	return best, best.N > 0
}

// Ratio is our median divided by upstream's best; ok is false if either is missing, upstream needed nothing, or both next to nothing.
func (b *Book) Ratio(size, phase, ours string, m Metric) (ratio float64, ok bool) {
	mine := b.Range(size, phase, ours, m)
	theirs, ok := b.Best(size, phase, ours, m)
	if !ok || mine.N == 0 || theirs.Median == 0 || max(mine.Median, theirs.Median) < m.least {
		return 0, false
	}
	return mine.Median / theirs.Median, true
}

// Calls are the medians of each kind of call.
func (b *Book) Calls(size, phase, contender string) map[string]float64 {
	samples := b.good[key{size, phase, contender}]
	medians := map[string]float64{}
	for _, s := range samples {
		for name := range s.Calls {
			medians[name] = 0
		}
	}
	for name := range medians {
		var values []float64
		for _, s := range samples {
			values = append(values, float64(s.Calls[name]))
		}
		medians[name] = Of(values).Median
	}
	return medians
}
