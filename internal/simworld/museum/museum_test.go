package museum

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	all    = flag.Bool("all", false, "try every exhibit in every net, and print the score")
	only   = flag.String("only", "", "try the exhibits whose names match this")
	seeds  = flag.Int("seeds", 3000, "how many schedules an exhibit may live through")
	limit  = flag.Duration("time", 5*time.Minute, "how long it may live, by the wall's clock")
	quick  = flag.Bool("quick", false, "leave out the nets beside the random schedules")
	budget = flag.Duration("budget", 30*time.Second, "how much of the processor's time a part of the exhibits may take")
	part   = flag.Int("part", 12, "how many exhibits are a part")
)

func exhibits(t *testing.T) []Exhibit {
	t.Helper()
	list, err := Read(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestExhibits puts bugs back and wants each to be caught: a part of them, or all with the flag.
func TestExhibits(t *testing.T) {
	list := exhibits(t)
	b := newBuild(t, list)
	chosen := choose(t, list)
	if c := b.play(t, "", 1, 100, 5*time.Minute); c.by != "" {
		t.Logf("with no exhibit switched on, schedule %d violates %s; such do not count: %s", c.schedules, c.by, c.text)
	}
	var rows []row
	caught, whole := 0, *all || *only != ""
	for _, x := range chosen {
		if !whole && b.used > *budget {
			t.Logf("time is up, and the rest is left out")
			break
		}
		r := row{Exhibit: x, catch: b.inSchedules(t, x.Name, *seeds, *limit)}
		if r.by == "" && whole && !*quick {
			r.catch = b.inOtherNets(t, x)
		}
		rows = append(rows, r)
		t.Log(r.String())
		if r.by != "" {
			caught++
		}
		switch {
		case !whole: // a part is tried with few schedules, and in no other net
		case r.by == "" && x.Lives == "":
			t.Errorf("exhibit %s (%s) was not caught", x.Name, x.Source)
		case r.by != "" && x.Lives != "":
			t.Errorf("exhibit %s is caught now: strike the line %q", x.Name, "lives "+x.Lives)
		}
	}
	if whole {
		t.Logf("the score\n\n%s", score(rows))
	} else if 2*caught < len(rows) {
		t.Errorf("of %d exhibits only %d were caught within %d schedules", len(rows), caught, *seeds)
	}
}

// choose gives every exhibit with the flag, and else a part of those that are soon caught, spread evenly.
func choose(t *testing.T, list []Exhibit) []Exhibit {
	var out []Exhibit
	for _, x := range list {
		if regexp.MustCompile(*only).MatchString(x.Name) && (*all || *only != "" || x.Lives == "" && !x.Rare) {
			out = append(out, x)
		}
	}
	if *all || *only != "" {
		return out
	}
	stride := max(1, len(out) / *part)
	t.Logf("every %d of %d exhibits that are soon caught, of %d in all", stride, len(out), len(list))
	var some []Exhibit
	for i := 0; i < len(out); i += stride {
		some = append(some, out[i])
	}
	return some
}

// row is one line of the score.
type row struct {
	Exhibit
	catch
}

func (r row) String() string {
	if r.by == "" {
		return fmt.Sprintf("%s: not caught", r.Name)
	}
	return fmt.Sprintf("%s: caught by %s after %d schedules, %v: %.300s", r.Name, r.by, r.schedules, r.took.Round(100*time.Millisecond), r.text)
}

// score is a table in Markdown.
func score(rows []row) string {
	var out strings.Builder
	out.WriteString("| exhibit | kind | what it was, or does | caught by | after |\n|---|---|---|---|---|\n")
	caught, total := map[string]int{}, map[string]int{}
	for _, r := range rows {
		by, after := "**not caught**: "+r.Lives, ""
		total[r.Kind]++
		if r.by != "" {
			by, after = r.by, r.took.Round(100*time.Millisecond).String()
			if r.schedules > 0 {
				after = fmt.Sprintf("%d schedules, %s", r.schedules, after)
			}
			caught[r.Kind]++
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", r.Name, r.Kind, r.Source, by, after)
	}
	for _, kind := range []string{Bug, Mutation} {
		fmt.Fprintf(&out, "\n%d of %d of kind %s are caught.", caught[kind], total[kind], kind)
	}
	return out.String() + "\n"
}

// TestPatches wants a message that helps where the source has moved on.
func TestPatches(t *testing.T) {
	src := "package p\n\n// F is there.\nfunc (r *T) F(a int, rest ...string) int {\n\treturn a\n}\n\nfunc g[K any](k K) { use(k) }\n"
	x := Exhibit{Name: "one-more", Edits: []Edit{
		{File: "f.go", Old: "\treturn a\n", New: "\treturn a + 1\n"},
		{File: "f.go", Old: "func g[K any](k K) { use(k) }\n", New: "func g[K any](k K) {}\n"},
	}}
	got, err := patchFile("f.go", []byte(src), []Exhibit{x})
	if err != nil {
		t.Fatal(err)
	}
	want := "package p\n\n// F is there.\nfunc (r *T) F(a int, rest ...string) int {\nif mutant(\"one-more\") { return r.F_one_more(a, rest...) }\n\n\treturn a\n}\n\n" +
		"func g[K any](k K) {\nif mutant(\"one-more\") { g_one_more[K](k); return }\n use(k) }\n" +
		"\nfunc (r *T) F_one_more(a int, rest ...string) int {\n\treturn a + 1\n}\n\nfunc g_one_more[K any](k K) {}\n\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for old, want := range map[string]string{
		"\treturn b\n":  "exhibit one-more: its old text occurs 0 times in f.go",
		"package p\n":   "exhibit one-more: the lines in f.go are not in one function",
		"\treturn a\n}": "exhibit one-more: f.go: the new text does not parse",
	} {
		x.Edits = []Edit{{File: "f.go", Old: old}}
		if _, err := patchFile("f.go", []byte(src), []Exhibit{x}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q gives the error %v", old, err)
		}
	}
}
