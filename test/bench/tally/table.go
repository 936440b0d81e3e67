package tally

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Tables are the results in Markdown, which reads well as plain text too: for each size the ratios, all numbers, and the
// calls.
func Tables(f File) string {
	samples := f.Samples()
	b := NewBook(samples)
	var out strings.Builder
	for _, r := range f.Runs {
		out.WriteString(r.heading() + "\n")
	}
	for _, size := range distinct(samples, func(s Sample) string { return s.Size }) {
		daemons, nodes, _ := strings.Cut(size, "x")
		fmt.Fprintf(&out, "\n### %s %s, %s nodes\n", daemons, plural(daemons, "DaemonSet", "DaemonSets"), nodes)
		out.WriteString(b.ratios(size))
		out.WriteString(b.numbers(size))
		out.WriteString(b.calls(size))
	}
	if lines := b.remarks(); len(lines) > 0 {
		out.WriteString("\n### Remarks\n\n- " + strings.Join(lines, "\n- ") + "\n")
	}
	return out.String()
}

func (r Run) heading() string {
	m, s := r.Machine, r.Settings
	return fmt.Sprintf("Run of %s: everynode %s; %d processors (%s), %d GiB, Linux %s, %s; load at the start %s; rounds: %d; clients may send %g requests a second, %d at once.",
		r.Started.UTC().Format("2006-01-02 15:04 MST"), r.Version, m.Processors, m.Model, m.MemoryGiB, m.Kernel, m.Go, m.Load, s.Rounds, s.QPS, s.Burst)
}

func plural(n, one, many string) string {
	if n == "1" {
		return one
	}
	return many
}

// ratios compares each of ours with the better upstream.
func (b *Book) ratios(size string) string {
	t := grid{head: []string{"phase", "contender"}}
	for _, m := range Metrics {
		t.head = append(t.head, m.label())
	}
	for _, phase := range b.phases(size) {
		for _, ours := range []string{Everynode, EverynodePinned, EverynodeDefault} {
			row, known := []string{phase, ours}, false
			for _, m := range Metrics {
				cell := "–"
				if r, ok := b.Ratio(size, phase, ours, m); ok {
					cell, known = ratio(r), true
				}
				row = append(row, cell)
			}
			if known {
				t.rows = append(t.rows, row)
			}
		}
	}
	if len(t.rows) == 0 {
		return ""
	}
	return "\nRatio everynode : upstream, of the medians; below 1.00 everynode takes less.\n\n" + t.String() + b.asGood(size)
}

// asGood is from which ratio on upstream is as good as everynode.
const asGood = 0.9

// asGood tells where upstream is as good or better.
func (b *Book) asGood(size string) string {
	var list []string
	for _, phase := range b.phases(size) {
		for _, ours := range []string{Everynode, EverynodePinned, EverynodeDefault} {
			var cells []string
			for _, m := range Metrics {
				if r, ok := b.Ratio(size, phase, ours, m); ok && r >= asGood {
					cells = append(cells, m.label()+" "+ratio(r))
				}
			}
			if len(cells) > 0 {
				list = append(list, fmt.Sprintf("- %s, %s: %s\n", phase, ours, strings.Join(cells, ", ")))
			}
		}
	}
	if len(list) == 0 {
		return "\nUpstream is nowhere as good.\n"
	}
	return "\nWhere upstream is as good, " + ratio(asGood) + " or more:\n\n" + strings.Join(list, "")
}

// label is the name without its unit.
func (m Metric) label() string { return strings.TrimSuffix(strings.TrimSuffix(m.Name, " s"), " MiB") }

// ratio shows two digits that say something, down to a thousandth.
func ratio(r float64) string {
	if r < 0.1 {
		return fmt.Sprintf("%.3f", r)
	}
	return fmt.Sprintf("%.2f", r)
}

func (b *Book) numbers(size string) string {
	t := grid{head: []string{"phase", "contender"}}
	for _, m := range Metrics {
		t.head = append(t.head, m.Name)
	}
	for _, phase := range b.phases(size) {
		for _, c := range b.contenders() {
			if b.Range(size, phase, c, Metrics[0]).N == 0 {
				continue
			}
			row := []string{phase, c}
			for _, m := range Metrics {
				row = append(row, m.show(b.Range(size, phase, c, m)))
			}
			t.rows = append(t.rows, row)
		}
	}
	return "\nMinimum / median, or the one value.\n\n" + t.String()
}

func (m Metric) show(r Range) string {
	low, middle := strconv.FormatFloat(r.Min, 'f', m.digits, 64), strconv.FormatFloat(r.Median, 'f', m.digits, 64)
	if low == middle {
		return middle
	}
	return low + " / " + middle
}

// calls tells each contender's requests by verb and resource.
func (b *Book) calls(size string) string {
	t := grid{head: []string{"phase", "contender", "calls, medians"}}
	for _, phase := range b.phases(size) {
		for _, c := range b.contenders() {
			if b.Range(size, phase, c, Metrics[0]).N == 0 {
				continue
			}
			calls := b.Calls(size, phase, c)
			names := slices.SortedFunc(maps.Keys(calls), func(x, y string) int {
				if calls[x] != calls[y] {
					return int(calls[y]*2 - calls[x]*2)
				}
				return strings.Compare(x, y)
			})
			var list []string
			for _, name := range names {
				if calls[name] > 0 {
					list = append(list, strconv.FormatFloat(calls[name], 'f', -1, 64)+" "+name)
				}
			}
			t.rows = append(t.rows, []string{phase, c, strings.Join(list, ", ")})
		}
	}
	return "\nCalls by verb and resource; a number behind a name is the code of a refusal.\n\n" + t.String()
}

// remarks tell of each sample that failed or was disturbed.
func (b *Book) remarks() []string {
	var lines []string
	for _, s := range b.samples {
		at := fmt.Sprintf("%s, round %d, %s, %s: ", s.Size, s.Round, s.Contender, s.Phase)
		if s.Failed != "" {
			lines = append(lines, at+"failed: "+s.Failed)
		}
		for _, n := range s.Notes {
			lines = append(lines, at+n)
		}
	}
	return lines
}

// phases are in the order of whoever has played the most; not all play each.
func (b *Book) phases(size string) []string {
	played := map[string][]Sample{}
	for _, s := range b.samples {
		if s.Size == size {
			played[s.Contender] = append(played[s.Contender], s)
		}
	}
	name := func(s Sample) string { return s.Phase }
	lists := slices.SortedFunc(maps.Values(played), func(x, y []Sample) int { return len(distinct(y, name)) - len(distinct(x, name)) })
	return distinct(slices.Concat(lists...), name)
}

// contenders are in the order of the alphabet, ours last but for the floor, which is first.
func (b *Book) contenders() []string {
	list := distinct(b.samples, func(s Sample) string { return s.Contender })
	rank := func(c string) string {
		switch {
		case c == Floor:
			return "0"
		case strings.HasPrefix(c, Upstream):
			return fmt.Sprintf("1%20s", c) // upstream-2 before upstream-20
		}
		return "2" + c
	}
	slices.SortFunc(list, func(x, y string) int { return strings.Compare(rank(x), rank(y)) })
	return list
}

// grid is a Markdown table with columns of even width.
type grid struct {
	head []string
	rows [][]string
}

func (t grid) String() string {
	width := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var out strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			out.WriteString("| " + cell + strings.Repeat(" ", width[i]-len([]rune(cell))) + " ")
		}
		out.WriteString("|\n")
	}
	line(t.head)
	for i := range t.head {
		out.WriteString("|" + strings.Repeat("-", width[i]+2))
	}
	out.WriteString("|\n")
	for _, row := range t.rows {
		line(row)
	}
	return out.String()
}
