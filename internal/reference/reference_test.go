package reference

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/dashboard"
	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/metrics"
	"github.com/everynode/everynode/internal/report"
)

const root = "../.."

func TestWhatIsMadeFromTheCodeIsUpToDate(t *testing.T) {
	files := made(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Errorf("%v\n  run: go generate ./...", err)
		} else if !bytes.Equal(got, files[name]) {
			t.Errorf("%s is not what the code says: line %s\n  run: go generate ./...", name, firstDifference(got, files[name]))
		}
	}
	stale, err := Stale(os.DirFS(root), files)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		t.Errorf("nothing makes %s any more\n  run: go generate ./...", name)
	}
}

func made(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func firstDifference(got, want []byte) string {
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\n  should be\n  " + b[i]
		}
	}
	return "(it is longer or shorter)"
}

// named finds what may be a metric of everynode's in an expression.
var named = regexp.MustCompile(`\beverynode_[a-z0-9_]+`)

// processMetrics are those that Go's client library serves and that are used here.
var processMetrics = regexp.MustCompile(`\b(process|go)_[a-z0-9_]+`)

func TestAlertsAndDashboardNameOnlyMetricsThatExist(t *testing.T) {
	exist := map[string]bool{"process_resident_memory_bytes": true, "process_cpu_seconds_total": true}
	for _, m := range metrics.All() {
		for _, s := range m.Series() {
			exist[s] = true
		}
	}
	used := map[string]bool{}
	check := func(where, expr string) {
		names := append(named.FindAllString(expr, -1), processMetrics.FindAllString(expr, -1)...)
		if len(names) == 0 {
			t.Errorf("%s asks for no metric: %s", where, expr)
		}
		for _, name := range names {
			if used[name] = true; !exist[name] {
				t.Errorf("%s asks for %s, which there is not: %s", where, name, expr)
			}
		}
	}
	for _, r := range rules(t) {
		check(r.Alert, r.Expr)
	}
	for title, expressions := range dashboard.Expressions() {
		for _, expr := range expressions {
			check(title, expr)
		}
	}
	// The prose names metrics too.
	for _, pattern := range []string{"docs/*.md", "docs/runbooks/*.md", "docs/reference/*.md"} {
		for _, file := range glob(t, pattern) {
			for _, name := range named.FindAllString(read(t, file), -1) {
				if !exist[name] && !beginOfOne(name, exist) {
					t.Errorf("%s names %s, which there is not", file, name)
				}
			}
		}
	}
	if len(used) < 15 {
		t.Errorf("only %d metrics are used at all", len(used))
	}
}

// beginOfOne tells of a name in prose that it stands for several: everynode_api_….
func beginOfOne(name string, exist map[string]bool) bool {
	for full := range exist {
		if strings.HasPrefix(full, strings.TrimSuffix(name, "_")+"_") {
			return true
		}
	}
	return false
}

// TestReasonsInAlertsAndRunbooksExist: what is matched as a reason must be one.
func TestReasonsInAlertsAndRunbooksExist(t *testing.T) {
	exist := map[string]bool{}
	for _, c := range fleet.CodeTexts {
		exist[string(c.Code)] = true
	}
	for _, c := range report.ConditionTexts() {
		exist[c.Reason] = true
	}
	for _, e := range report.EventTexts {
		exist[e.Reason] = true
	}
	matched := regexp.MustCompile(`(?:reason!?=~?\\?"|--reason )([A-Za-z|]+)`)
	found := 0
	check := func(where, text string) {
		for _, m := range matched.FindAllStringSubmatch(text, -1) {
			for reason := range strings.SplitSeq(m[1], "|") {
				if found++; !exist[reason] {
					t.Errorf("%s matches reason %s, which there is not", where, reason)
				}
			}
		}
	}
	for _, r := range rules(t) {
		check(r.Alert, r.Expr)
	}
	for title, expressions := range dashboard.Expressions() {
		check(title, strings.Join(expressions, "\n"))
	}
	for _, file := range glob(t, "docs/runbooks/*.md") {
		check(file, read(t, file))
	}
	if found < 10 {
		t.Errorf("only %d reasons were found", found)
	}
}

func TestEachAlertHasARunbookAndEachRunbookAnAlert(t *testing.T) {
	books := map[string]bool{}
	for _, file := range glob(t, "docs/runbooks/*.md") {
		books[strings.TrimSuffix(filepath.Base(file), ".md")] = true
	}
	for _, r := range rules(t) {
		if !books[r.Alert] {
			t.Errorf("%s has no runbook: write docs/runbooks/%s.md", r.Alert, r.Alert)
			continue
		}
		delete(books, r.Alert)
		text := read(t, "docs/runbooks/"+r.Alert+".md")
		at := -1
		for _, part := range []string{"# " + r.Alert + "\n", "\n## Meaning\n", "\n## Impact\n", "\n## Look at\n", "\n## Do\n"} {
			i := strings.Index(text, part)
			if i <= at {
				t.Errorf("%s: the part %q is missing or out of order", r.Alert, strings.TrimSpace(part))
			}
			at = i
		}
		if url := r.Annotations["runbook_url"]; !strings.HasSuffix(url, "/docs/runbooks/"+r.Alert+".md") {
			t.Errorf("%s points to %s", r.Alert, url)
		}
		severity := r.Labels["severity"]
		if r.For == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || (severity != "critical" && severity != "warning") {
			t.Errorf("%s is not whole: %+v", r.Alert, r)
		}
	}
	for name := range books {
		t.Errorf("docs/runbooks/%s.md is no alert's", name)
	}
}

// TestEachAlertIsTested: promtool plays the stories (make alerts); here only that none is left out.
func TestEachAlertIsTested(t *testing.T) {
	stories := read(t, "config/alerts/everynode.test.yaml")
	for _, r := range rules(t) {
		if !strings.Contains(stories, `ALERTS{alertname="`+r.Alert+`",alertstate="firing"`) {
			t.Errorf("there is no story in which %s fires", r.Alert)
		}
		if !strings.Contains(stories, "alertname: "+r.Alert+"}") {
			t.Errorf("there is no story in which %s does not fire", r.Alert)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)

func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/runbooks/*.md", "docs/reference/*.md", "docs/cli/*.md"} {
		for _, file := range glob(t, pattern) {
			for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				if _, err := os.Stat(filepath.Join(root, filepath.Dir(file), m[1])); err != nil {
					t.Errorf("%s links to %s, which there is not", file, m[1])
				}
			}
		}
	}
}

func TestManualPagesHaveTheFlags(t *testing.T) {
	pages, err := Man()
	if err != nil {
		t.Fatal(err)
	}
	text := string(pages["everynode-controller.1"])
	for _, want := range []string{".TH \"EVERYNODE-CONTROLLER\" \"1\"", "leader-elect", "metrics-bind-address"} {
		if !strings.Contains(text, want) {
			t.Errorf("everynode-controller.1 lacks %q", want)
		}
	}
}

// TestACommandAndItsPartsHaveAPage looks at a command with parts, which the plugin's is.
func TestACommandAndItsPartsHaveAPage(t *testing.T) {
	root := &cobra.Command{Use: "tool", Short: "Does things"}
	root.PersistentFlags().String("kubeconfig", "", "how to reach the cluster")
	part := &cobra.Command{Use: "part NAME", Short: "Does one", Example: "  tool part x   # one\n  tool part y", Run: func(*cobra.Command, []string) {}}
	part.Flags().Bool("now", false, "at once")
	root.AddCommand(part, &cobra.Command{Use: "secret", Hidden: true, Run: func(*cobra.Command, []string) {}})
	pages := map[string][]byte{}
	addPages(pages, root)
	if names := slices.Sorted(maps.Keys(pages)); !slices.Equal(names, []string{"tool.md", "tool_part.md"}) {
		t.Errorf("pages %q", names)
	}
	want := "# tool part\n\nDoes one\n\n```\ntool part NAME [flags]\n```\n\n## Examples\n\n```\ntool part x   # one\ntool part y\n```\n\n" +
		"## Flags\n\n```\n  -h, --help   help for part\n      --now    at once\n```\n\n" +
		"## Flags of every command\n\n```\n      --kubeconfig string   how to reach the cluster\n```\n\n## See also\n\n- [tool](tool.md): Does things\n"
	if _, got, _ := strings.Cut(string(pages["tool_part.md"]), "-->\n\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestHelpBecomesMarkdown(t *testing.T) {
	got := fenced("Runs.\n\n  a --b\n    c\n\nMore\nof it.\n")
	if want := "Runs.\n\n```\na --b\n  c\n```\n\nMore\nof it."; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestABarInACellIsNoBorder(t *testing.T) {
	p := newPage("T", "x")
	p.table([]string{"a", "b"}, [][]string{{"1|2", "3"}})
	want := "<!-- Made by go generate from x. Change it there. -->\n\n# T\n\n| a | b |\n|---|---|\n| 1\\|2 | 3 |\n"
	if got := string(p.done()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAStaleFileIsFound(t *testing.T) {
	files := made(t)
	delete(files, "docs/reference/reasons.md")
	stale, err := Stale(os.DirFS(root), files)
	if err != nil || !slices.Equal(stale, []string{"docs/reference/reasons.md"}) {
		t.Errorf("stale are %q, %v", stale, err)
	}
}

func rules(t *testing.T) []Rule {
	t.Helper()
	groups, err := Alerts()
	if err != nil {
		t.Fatal(err)
	}
	var all []Rule
	for _, g := range groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(root), pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
