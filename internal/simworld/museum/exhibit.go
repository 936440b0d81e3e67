package museum

import (
	"fmt"
	"io/fs"
	"strings"
)

// The kinds of exhibits.
const (
	// Bug is one that a controller has had.
	Bug = "bug"
	// Mutation is a slip that somebody could make tomorrow.
	Mutation = "mutation"
)

// Exhibit is one bug.
type Exhibit struct {
	Name, Kind string
	// Source is where the bug was had, or what the mutation does.
	Source string
	// Lives is set where no net catches it, and says why.
	Lives string
	// Rare is set where it takes long to catch.
	Rare  bool
	Edits []Edit
}

// Edit replaces whole lines, which occur once in the file.
type Edit struct {
	File     string
	Old, New string
}

// Read gives the exhibits of all files in a directory.
//
// An exhibit begins with a line "exhibit name", and lines "kind ...", "source ...", "lives ..." and "rare" may follow. Each line
// "file path" begins an edit; the lines below are as in a diff: with a minus what goes, with a plus what comes, with a space
// what stays and tells the place. Empty lines and those with a # say nothing.
func Read(dir fs.FS) ([]Exhibit, error) {
	files, err := fs.Glob(dir, "*.txt")
	if err != nil {
		return nil, err
	}
	var out []Exhibit
	seen := map[string]bool{}
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		list, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, x := range list {
			if err := x.complete(); err != nil {
				return nil, fmt.Errorf("%s: exhibit %s: %w", name, x.Name, err)
			}
			if seen[x.Name] {
				return nil, fmt.Errorf("%s: there are two exhibits %s", name, x.Name)
			}
			seen[x.Name] = true
		}
		out = append(out, list...)
	}
	return out, nil
}

func parse(text string) ([]Exhibit, error) {
	var out []Exhibit
	for i, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "exhibit" {
			out = append(out, Exhibit{Name: rest})
			continue
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("line %d: no exhibit begins before it", i+1)
		}
		if !out[len(out)-1].add(line, word, rest) {
			return nil, fmt.Errorf("line %d: %q means nothing here", i+1, line)
		}
	}
	return out, nil
}

// add takes one line in, and tells whether it could.
func (x *Exhibit) add(line, word, rest string) bool {
	if len(x.Edits) > 0 && strings.ContainsRune("-+ ", rune(line[0])) {
		e, text := &x.Edits[len(x.Edits)-1], line[1:]+"\n"
		if line[0] != '+' {
			e.Old += text
		}
		if line[0] != '-' {
			e.New += text
		}
		return true
	}
	switch word {
	case "kind":
		x.Kind = rest
	case "source":
		x.Source = rest
	case "lives":
		x.Lives = rest
	case "rare":
		x.Rare = true
	case "file":
		x.Edits = append(x.Edits, Edit{File: rest})
	default:
		return false
	}
	return true
}

func (x *Exhibit) complete() error {
	switch {
	case x.Kind != Bug && x.Kind != Mutation:
		return fmt.Errorf("its kind is %q, and has to be %s or %s", x.Kind, Bug, Mutation)
	case x.Source == "":
		return fmt.Errorf("it has no source")
	case len(x.Edits) == 0:
		return fmt.Errorf("it changes nothing")
	}
	for _, e := range x.Edits {
		if e.Old == "" || e.Old == e.New {
			return fmt.Errorf("it changes nothing in %s", e.File)
		}
	}
	return nil
}
