package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/everynode/everynode/test/bench/tally"
)

func read(path string) (tally.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return tally.File{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	results, err := tally.Read(f)
	if err != nil {
		return results, fmt.Errorf("%s: %w", path, err)
	}
	return results, nil
}

func write(path string, results tally.File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(results.Write(f), f.Close())
}

// insert puts the tables into a document.
func insert(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := tally.Insert(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(changed), 0o644)
}

// machine describes what this runs on; what cannot be found out is left empty.
func machine() tally.Machine {
	m := tally.Machine{
		Processors: runtime.NumCPU(), Go: runtime.Version(),
		Model:  field("/proc/cpuinfo", "model name"),
		Kernel: firstWord("/proc/sys/kernel/osrelease"), Load: firstWord("/proc/loadavg"),
	}
	if kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		m.MemoryGiB = (kib + 1<<19) >> 20
	}
	return m
}

func firstWord(path string) string {
	data, err := os.ReadFile(path)
	if words := strings.Fields(string(data)); err == nil && len(words) > 0 {
		return words[0]
	}
	return ""
}

func field(path, name string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
