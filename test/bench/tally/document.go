package tally

import (
	"errors"
	"strings"
)

// Begin and End enclose what Insert replaces.
const (
	Begin = "<!-- bench:begin, written by make bench -->"
	End   = "<!-- bench:end -->"
)

// Insert puts text between the marks of a document.
func Insert(document, text string) (string, error) {
	before, rest, ok := strings.Cut(document, Begin)
	_, after, ended := strings.Cut(rest, End)
	if !ok || !ended {
		return "", errors.New("the document has no place for the tables: write " + Begin + " and " + End + " on lines of their own")
	}
	return before + Begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + End + after, nil
}
