package tally

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Schema is the form of a File; it changes when a field changes its meaning or goes.
const Schema = "everynode.dev/bench/v1"

// File is what one or more runs of the benchmark have measured.
type File struct {
	Schema string `json:"schema"`
	Runs   []Run  `json:"runs"`
}

// Run is one start of the benchmark.
type Run struct {
	Started  time.Time `json:"started"`
	Version  string    `json:"version"`
	Machine  Machine   `json:"machine"`
	Settings Settings  `json:"settings"`
	Samples  []Sample  `json:"samples"`
}

// Machine is what it ran on.
type Machine struct {
	Processors int    `json:"processors"`
	Model      string `json:"model"`
	MemoryGiB  int    `json:"memoryGiB"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	// Load is the load average of a minute when the run began: what else the machine had to do.
	Load string `json:"load"`
}

// Settings are what all contenders of a run have in common.
type Settings struct {
	Rounds int     `json:"rounds"`
	QPS    float64 `json:"kubeAPIQPS"`
	Burst  int     `json:"kubeAPIBurst"`
}

// Sample is what one phase of one contender took.
type Sample struct {
	// Size is DaemonSets x nodes, as "20x1000".
	Size      string `json:"size"`
	Contender string `json:"contender"`
	Round     int    `json:"round"`
	Phase     string `json:"phase"`
	// Wall is how long it took until the API server showed the phase's end, in seconds.
	Wall float64 `json:"wallSeconds"`
	// CPU is that of the contender until it had come to rest, ServerCPU that of the control plane, in seconds.
	CPU       float64 `json:"cpuSeconds"`
	ServerCPU float64 `json:"serverCPUSeconds"`
	// Peak and Settled are the contender's resident memory in MiB: the most, and when it had come to rest.
	Peak    float64 `json:"peakMiB"`
	Settled float64 `json:"settledMiB"`
	// ServerPeak is the control plane's.
	ServerPeak float64 `json:"serverPeakMiB"`
	// Calls counts the contender's requests, by verb and resource.
	Calls map[string]int `json:"calls"`
	// Failed says why the phase did not reach its end; then the numbers are of no use.
	Failed string `json:"failed,omitempty"`
	// Notes say what else happened that one should know.
	Notes []string `json:"notes,omitempty"`
}

// Read reads a File and refuses those of another form.
func Read(r io.Reader) (File, error) {
	var f File
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return f, fmt.Errorf("no results of a benchmark: %w", err)
	}
	if f.Schema != Schema {
		return f, fmt.Errorf("results have schema %q: this benchmark reads %q; measure again", f.Schema, Schema)
	}
	return f, nil
}

// Write writes a File.
func (f File) Write(w io.Writer) error {
	f.Schema = Schema
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(f)
}

// Samples are those of all runs, in order.
func (f File) Samples() []Sample {
	var all []Sample
	for _, r := range f.Runs {
		all = append(all, r.Samples...)
	}
	return all
}

// distinct gives the values in the order in which they appear.
func distinct(samples []Sample, of func(Sample) string) []string {
	var list []string
	for _, s := range samples {
		if v := of(s); !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
