package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/everynode/everynode/internal/reference"
)

func main() {
	man := flag.String("man", "", "write the manual pages into this directory, and nothing else")
	expressions := flag.Bool("expressions", false, "print the dashboard's expressions as a rules file, for promtool to check, and write nothing")
	flag.Parse()
	if *expressions {
		fmt.Print(string(reference.Expressions()))
		return
	}
	if *man != "" {
		if err := writeMan(*man); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		return
	}
	if err := write("../.."); err != nil { // go generate runs in the directory of the directive
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// write brings all made files below root up to date, and removes those of a made directory that nothing makes any more.
func write(root string) error {
	if _, err := os.Stat(filepath.Join(root, "ARCHITECTURE.md")); err != nil {
		return fmt.Errorf("%s is not the root of the repository: %w\n  run `go generate ./...` instead of this command", root, err)
	}
	files, err := reference.Files()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, name)
		old, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if bytes.Equal(old, files[name]) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "wrote", name)
	}
	stale, err := reference.Stale(os.DirFS(root), files)
	if err != nil {
		return err
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "removed", name)
	}
	return nil
}

// writeMan writes the manual pages, for whoever makes a package.
func writeMan(dir string) error {
	pages, err := reference.Man()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := os.WriteFile(filepath.Join(dir, name), pages[name], 0o644); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "wrote", filepath.Join(dir, name))
	}
	return nil
}
