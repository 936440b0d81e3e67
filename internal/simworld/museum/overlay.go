package museum

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Overlay writes the patched files below dir, and with them the overlay file for the go command, whose path it gives. root is
// where the module is, more are files that are added to it.
func Overlay(root, dir string, exhibits []Exhibit, more map[string]string) (string, error) {
	replace := map[string]string{}
	write := func(path string, text []byte) error {
		to := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		replace[filepath.Join(root, path)] = to
		return os.WriteFile(to, text, 0o600)
	}
	var misfits []error
	for path, text := range more {
		misfits = append(misfits, write(path, []byte(text)))
	}
	for _, path := range files(exhibits) {
		src, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return "", err
		}
		text, err := patchFile(path, src, exhibits)
		if err != nil {
			misfits = append(misfits, err)
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		name := filepath.ToSlash(filepath.Join(filepath.Dir(path), "mutant.go"))
		if err := errors.Join(write(path, text), write(name, fmt.Appendf(nil, switchFile, file.Name.Name, Switch))); err != nil {
			return "", err
		}
	}
	if err := errors.Join(misfits...); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, "overlay.json")
	return to, os.WriteFile(to, text, 0o600)
}

// files are those that exhibits change.
func files(exhibits []Exhibit) []string {
	var out []string
	for _, x := range exhibits {
		for _, e := range x.Edits {
			out = append(out, e.File)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
