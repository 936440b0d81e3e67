package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root is the repository's root, seen from this package.
const root = "../.."

// TestTheHouseIsInOrder holds this repository to its own rules.
func TestTheHouseIsInOrder(t *testing.T) {
	tree, problems, err := Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Packages) == 0 {
		t.Fatal("no package was found below the root: the walk is broken")
	}
	for _, problem := range append(problems, Check(tree, Rooms)...) {
		t.Errorf("%s", problem)
	}
}

// TestArchitectureShowsTheTable keeps the table that people read equal to the one that is enforced.
func TestArchitectureShowsTheTable(t *testing.T) {
	markdown, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := ParseTable(string(markdown))
	if err != nil {
		t.Fatalf("ARCHITECTURE.md: %v", err)
	}
	if diff := cmp.Diff(normal(Rooms), normal(shown)); diff != "" {
		t.Errorf("ARCHITECTURE.md and Rooms in internal/house/table.go differ (-table.go +ARCHITECTURE.md); change both:\n%s", diff)
	}
}

// normal forgets the order of rooms and of paths within a room, and the difference between none and empty.
func normal(rooms []Room) map[string]Room {
	byPath := map[string]Room{}
	for _, room := range rooms {
		room.Imports = append([]string{}, slices.Sorted(slices.Values(room.Imports))...)
		room.Links = append([]string{}, slices.Sorted(slices.Values(room.Links))...)
		byPath[room.Path] = room
	}
	return byPath
}

// TestTableIsOneWay refuses a table in which two rooms could reach each other.
func TestTableIsOneWay(t *testing.T) {
	byPath := normal(Rooms)
	if len(byPath) != len(Rooms) {
		t.Errorf("the table has %d rows but %d distinct rooms", len(Rooms), len(byPath))
	}
	for _, room := range Rooms {
		if slices.Contains(room.Imports, All) {
			continue
		}
		for _, target := range room.Imports {
			if _, ok := byPath[target]; !ok {
				t.Errorf("%s may import %s, which is no room", room.Path, target)
			}
			if path := reach(byPath, target, room.Path, nil); path != nil {
				t.Errorf("the table has a circle: %s → %s", room.Path, strings.Join(path, " → "))
			}
		}
		if room.Kind == Pure {
			for _, target := range room.Imports {
				if byPath[target].Kind != Pure {
					t.Errorf("pure room %s may import %s, which is not pure", room.Path, target)
				}
			}
		}
	}
}

// reach returns a path of permitted imports from one room to another, or nil.
func reach(rooms map[string]Room, from, to string, seen []string) []string {
	if from == to {
		return []string{from}
	}
	if slices.Contains(seen, from) {
		return nil
	}
	for _, next := range rooms[from].Imports {
		if path := reach(rooms, next, to, append(seen, from)); path != nil {
			return append([]string{from}, path...)
		}
	}
	return nil
}

func TestParseTable(t *testing.T) {
	markdown := "text\n\n" +
		"| room | kind | what lives there | may import | links |\n" +
		"|---|---|---|---|---|\n" +
		"| `cmd/x` | client | the binary | all | — |\n" +
		"| `internal/a` | pure | facts, `code` too | `internal/b`, `internal/c` | `k8s.io/kubernetes` |\n" +
		"\n| `internal/z` | pure | another table | — | — |\n"
	got, err := ParseTable(markdown)
	if err != nil {
		t.Fatal(err)
	}
	want := []Room{
		{Path: "cmd/x", Kind: Client, Imports: []string{All}},
		{Path: "internal/a", Kind: Pure, Imports: []string{"internal/b", "internal/c"}, Links: []string{"k8s.io/kubernetes"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rooms (-want +got):\n%s", diff)
	}
	for _, bad := range []struct{ name, markdown, want string }{
		{"no table", "nothing here", "no table"},
		{"a cell too few", "| room | kind | what lives there | may import | links |\n| `a` | pure | x | — |\n", "line 2: 4 cells"},
		{"a room without backquotes", "| room | kind | what lives there | may import | links |\n| a | pure | x | — | — |\n", "backquotes"},
	} {
		if _, err := ParseTable(bad.markdown); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.name, err, bad.want)
		}
	}
}
