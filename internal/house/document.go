package house

import (
	"fmt"
	"regexp"
	"strings"
)

// tableHeader is the first row of the table of rooms in ARCHITECTURE.md.
var tableHeader = []string{"room", "kind", "what lives there", "may import", "links"}

// code matches one `code span` of Markdown.
var code = regexp.MustCompile("`([^`]+)`")

// ParseTable reads the table of rooms out of a Markdown document. In the columns that name paths every code span
// is one path; "all" and "—" are plain words.
func ParseTable(markdown string) ([]Room, error) {
	var rooms []Room
	inside := false
	for number, line := range strings.Split(markdown, "\n") {
		cells := tableCells(line)
		switch {
		case !inside:
			inside = strings.Join(cells, "|") == strings.Join(tableHeader, "|")
		case len(cells) == 0:
			return rooms, nil
		case strings.Trim(cells[0], "-: ") == "":
			// the rule under the header
		case len(cells) != len(tableHeader):
			return nil, fmt.Errorf("line %d: %d cells, want %d (%s)", number+1, len(cells), len(tableHeader), strings.Join(tableHeader, ", "))
		default:
			room, err := parseRoom(cells)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number+1, err)
			}
			rooms = append(rooms, room)
		}
	}
	if !inside {
		return nil, fmt.Errorf("no table with the header | %s |", strings.Join(tableHeader, " | "))
	}
	return rooms, nil
}

func parseRoom(cells []string) (Room, error) {
	paths := codeSpans(cells[0])
	if len(paths) != 1 {
		return Room{}, fmt.Errorf("the room %q must be one path in backquotes", cells[0])
	}
	room := Room{Path: paths[0], Kind: Kind(cells[1]), Imports: codeSpans(cells[3]), Links: codeSpans(cells[4])}
	if cells[3] == All {
		room.Imports = []string{All}
	}
	return room, nil
}

// tableCells splits one row of a table, or returns nothing for a line that is no row.
func tableCells(line string) []string {
	line = strings.TrimSpace(line)
	if len(line) < 2 || !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil
	}
	cells := strings.Split(line[1:len(line)-1], "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func codeSpans(cell string) []string {
	var spans []string
	for _, match := range code.FindAllStringSubmatch(cell, -1) {
		spans = append(spans, match[1])
	}
	return spans
}
