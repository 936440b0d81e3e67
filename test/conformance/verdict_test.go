package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// verdict is what a report means for this project.
type verdict struct {
	passed   []string
	problems []string
}

// judge compares a report with the tables. Specs that ran outside the tables, and specs in the tables that did not run,
// are problems: nothing may drop out in silence.
func judge(report types.Report, wanted []string, leftOut map[string]string) verdict {
	var v verdict
	selected := regexp.MustCompile(focus)
	var seen []string
	for _, spec := range report.SpecReports {
		name := spec.FullText()
		switch {
		case spec.LeafNodeType != types.NodeTypeIt:
			if spec.Failed() {
				v.problems = append(v.problems, describe("around the specs: "+spec.LeafNodeType.String(), spec))
			}
			continue
		case !selected.MatchString(name):
			continue
		}
		seen = append(seen, name)
		_, left := leftOut[name]
		switch {
		case left && spec.State.Is(types.SpecStateSkipped):
		case !slices.Contains(wanted, name):
			v.problems = append(v.problems, fmt.Sprintf("%q is in none of the tables and ended %s: has upstream added it?", name, spec.State))
		case spec.State.Is(types.SpecStatePassed):
			v.passed = append(v.passed, name)
		default:
			v.problems = append(v.problems, describe(name, spec))
		}
	}
	for _, name := range wanted {
		if !slices.Contains(seen, name) {
			v.problems = append(v.problems, fmt.Sprintf("%q is not among the specs: has upstream renamed it?", name))
		}
	}
	for name := range leftOut {
		if !slices.Contains(seen, name) {
			v.problems = append(v.problems, fmt.Sprintf("%q, which is left out, is not among the specs", name))
		}
	}
	slices.Sort(v.passed)
	return v
}

// describe tells how a spec ended, where, and what it logged last. A spec that ran into the limit has a second failure,
// that of the step it was at.
func describe(name string, spec types.SpecReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", name, spec.State)
	if !spec.Failed() {
		return b.String()
	}
	failures := []types.Failure{spec.Failure}
	for _, more := range spec.AdditionalFailures {
		failures = append(failures, more.Failure)
	}
	for _, f := range failures {
		fmt.Fprintf(&b, "\n%s\n  at %s:%d", f.Message, f.Location.FileName, f.Location.LineNumber)
	}
	fmt.Fprintf(&b, "\nits log ends:\n%s", tail(spec.CapturedGinkgoWriterOutput, 60))
	return b.String()
}

// tail is the last lines of a text, each cut to a length that a terminal bears: the framework logs whole objects.
func tail(text string, lines int) string {
	const width = 400
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	all = all[max(0, len(all)-lines):]
	for i, line := range all {
		if len(line) > width {
			all[i] = line[:width] + fmt.Sprintf("… (%d more)", len(line)-width)
		}
	}
	return "  " + strings.Join(all, "\n  ")
}

// A judge that accepts everything would make every run green.
func TestJudge(t *testing.T) {
	spec := func(name string, state types.SpecState) types.SpecReport {
		return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: "[sig-apps] Daemon set " + name, State: state}
	}
	names := []string{"[sig-apps] Daemon set a", "[sig-apps] Daemon set b"}
	left := map[string]string{"[sig-apps] Daemon set s": "s"}
	other := types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: "[sig-apps] Job x", State: types.SpecStateSkipped}
	for _, c := range []struct {
		what     string
		specs    []types.SpecReport
		passed   int
		problems []string
	}{
		{"all passed", []types.SpecReport{spec("a", types.SpecStatePassed), spec("b", types.SpecStatePassed), spec("s", types.SpecStateSkipped), other}, 2, nil},
		{"one failed", []types.SpecReport{spec("a", types.SpecStatePassed), spec("b", types.SpecStateFailed), spec("s", types.SpecStateSkipped)}, 1, []string{"b: failed"}},
		{"one skipped", []types.SpecReport{spec("a", types.SpecStatePassed), spec("b", types.SpecStateSkipped), spec("s", types.SpecStateSkipped)}, 1, []string{"b: skipped"}},
		{"one missing", []types.SpecReport{spec("a", types.SpecStatePassed), spec("s", types.SpecStateSkipped)}, 1, []string{"b\" is not among"}},
		{"one new", []types.SpecReport{spec("a", types.SpecStatePassed), spec("b", types.SpecStatePassed), spec("c", types.SpecStatePassed), spec("s", types.SpecStateSkipped)}, 2, []string{"c\" is in none"}},
		{"left out but gone", []types.SpecReport{spec("a", types.SpecStatePassed), spec("b", types.SpecStatePassed)}, 2, []string{"s\", which is left out"}},
		{"setup failed", []types.SpecReport{{LeafNodeType: types.NodeTypeBeforeSuite, State: types.SpecStateFailed}, spec("a", types.SpecStatePassed), spec("b", types.SpecStatePassed), spec("s", types.SpecStateSkipped)}, 2, []string{"around the specs"}},
	} {
		v := judge(types.Report{SpecReports: c.specs}, names, left)
		if len(v.passed) != c.passed || len(v.problems) != len(c.problems) {
			t.Errorf("%s: %d passed, problems %q; want %d and %q", c.what, len(v.passed), v.problems, c.passed, c.problems)
			continue
		}
		for i, p := range c.problems {
			if !strings.Contains(v.problems[i], p) {
				t.Errorf("%s: problem %q; want one with %q", c.what, v.problems[i], p)
			}
		}
	}
}
