package proc

import (
	"os"
	"testing"
	"time"
)

func TestCPUTimeIsUserAndSystemTime(t *testing.T) {
	line := "4242 (every) node) x) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 1 1 1"
	got, err := parseStat([]byte(line))
	if err != nil || got != 3*time.Second {
		t.Errorf("got %v, %v; want 3s", got, err)
	}
	for _, bad := range []string{"", "4242 (x) S 1 2", "1 (x) S 1 2 3 4 5 6 7 8 9 10 a 5 0"} {
		if got, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q gives %v and no error", bad, got)
		}
	}
}

func TestMemoryIsReadInBytes(t *testing.T) {
	got, err := parseStatus("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n")
	if want := (Memory{Now: 1 << 20, Peak: 2 << 20}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseStatus("Name:\tkthreadd\n"); err == nil {
		t.Error("a process without memory of its own gives no error")
	}
}

func TestAPeakCanBeReset(t *testing.T) {
	pid := os.Getpid()
	block := make([]byte, 64<<20)
	for i := range block {
		block[i] = byte(i)
	}
	if err := ResetPeak(pid); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMemory(pid)
	if err != nil {
		t.Fatal(err)
	}
	// Both are counted per processor and summed up late, by a few pages each.
	if m.Now < 64<<20 || m.Peak < 64<<20 || block[1] != 1 {
		t.Errorf("64 MiB are in use, and %+v is told", m)
	}
	if used, err := CPU(pid); err != nil || used < 0 {
		t.Errorf("CPU time of this process: %v, %v", used, err)
	}
	if _, err := CPU(-1); err == nil {
		t.Error("a process that does not exist gives no error")
	}
}
