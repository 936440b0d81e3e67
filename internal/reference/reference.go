package reference

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/everynode/everynode/internal/dashboard"
)

// Made are the directories in which every file is made.
var Made = []string{"docs/reference", "docs/cli", "config/dashboards"}

// Files are all made files, by their path from the root of the repository.
func Files() (map[string][]byte, error) {
	rules, err := Alerts()
	if err != nil {
		return nil, err
	}
	board, err := dashboard.JSON()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		"docs/reference/reasons.md":        reasons(),
		"docs/reference/conditions.md":     conditions(),
		"docs/reference/metrics.md":        metricsPage(),
		"docs/reference/alerts.md":         alertsPage(rules),
		"config/dashboards/everynode.json": board,
	}
	for name, text := range commandPages() {
		files["docs/cli/"+name] = text
	}
	return files, nil
}

// Stale are files of made directories that nothing makes any more.
func Stale(root fs.FS, files map[string][]byte) ([]string, error) {
	var stale []string
	for _, dir := range Made {
		entries, err := fs.ReadDir(root, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name := path.Join(dir, e.Name()); files[name] == nil {
				stale = append(stale, name)
			}
		}
	}
	return stale, nil
}

// page is a Markdown page that is being written.
type page struct{ bytes.Buffer }

// newPage begins one, and says where it comes from.
func newPage(title, source string) *page {
	p := &page{}
	p.text("<!-- Made by go generate from %s. Change it there. -->\n\n# %s", source, title)
	return p
}

// text adds a block: a paragraph or a heading.
func (p *page) text(format string, args ...any) {
	fmt.Fprintf(&p.Buffer, format+"\n\n", args...)
}

// table adds a table; a bar in a cell would end it.
func (p *page) table(head []string, rows [][]string) {
	line := func(cells []string) {
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		fmt.Fprintf(&p.Buffer, "| %s |\n", strings.Join(cells, " | "))
	}
	line(head)
	fmt.Fprintf(&p.Buffer, "|%s\n", strings.Repeat("---|", len(head)))
	for _, r := range rows {
		line(r)
	}
	p.WriteString("\n")
}

// done is the page without the last empty line.
func (p *page) done() []byte { return append(bytes.TrimRight(p.Bytes(), "\n"), '\n') }

func code(s string) string { return "`" + s + "`" }
