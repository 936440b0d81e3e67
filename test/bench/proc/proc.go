package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: Linux shows 100 a second on every architecture, whatever it counts inside.
const tick = 10 * time.Millisecond

// CPU is the time that the process has been on a processor, in user and system mode together.
func CPU(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	used, err := parseStat(data)
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return used, nil
}

// parseStat reads utime and stime, fields 14 and 15. The second field is the program's name in parentheses and may hold
// anything, blanks and parentheses included.
func parseStat(data []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return 0, errors.New("stat has no name in parentheses")
	}
	fields := strings.Fields(string(data[end+1:]))
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("stat has %d fields after the name, want more than %d", len(fields), stime)
	}
	var sum int64
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat, field %d: %w", i+3, err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// Memory is resident memory in bytes.
type Memory struct {
	// Now is what is resident at the moment, Peak the most since ResetPeak.
	Now, Peak int64
}

// ReadMemory reads the resident memory of a process.
func ReadMemory(pid int) (Memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	m, err := parseStatus(string(data))
	if err != nil {
		return Memory{}, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return m, nil
}

func parseStatus(text string) (Memory, error) {
	var m Memory
	for field, to := range map[string]*int64{"VmRSS:": &m.Now, "VmHWM:": &m.Peak} {
		_, rest, ok := strings.Cut(text, field)
		words := strings.Fields(rest)
		if !ok || len(words) < 2 || words[1] != "kB" {
			return m, fmt.Errorf("status has no %s in kB", field)
		}
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return m, fmt.Errorf("status, %s %w", field, err)
		}
		*to = n << 10
	}
	return m, nil
}

// ResetPeak makes the present memory the peak.
func ResetPeak(pid int) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("reset the memory peak of process %d: %w", pid, err)
	}
	return nil
}
