package snapshot

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Write writes a snapshot as JSON lines.
func Write(w io.Writer, s *Snapshot) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	out := &lineWriter{encoder: json.NewEncoder(buffered)}
	out.put(line{Head: &head{Format: Format, Version: FormatVersion, Taken: s.Taken.UTC(), Server: s.Server, Redacted: s.Redacted}})
	for i := range s.Missing {
		out.put(line{Missing: &s.Missing[i]})
	}
	for i := range s.Leases {
		out.put(line{Lease: &s.Leases[i]})
	}
	for _, q := range s.Quotas {
		out.put(line{Quota: q})
	}
	for i := range s.Nodes {
		out.put(line{Node: &s.Nodes[i]})
	}
	for _, ds := range s.DaemonSets {
		out.put(line{DaemonSet: ds})
	}
	for _, r := range s.Revisions {
		out.put(line{Revision: r})
	}
	for i := range s.Pods {
		out.put(line{Pod: &s.Pods[i]})
	}
	for i := range s.Events {
		out.put(line{Event: &s.Events[i]})
	}
	for i := range s.Live {
		out.put(line{Live: &s.Live[i]})
	}
	out.put(line{End: &end{Lines: out.lines}})
	if out.err == nil {
		out.err = buffered.Flush()
	}
	if out.err != nil {
		return fmt.Errorf("write the snapshot: %w", out.err)
	}
	return nil
}

type lineWriter struct {
	encoder *json.Encoder
	lines   int
	err     error
}

func (w *lineWriter) put(l line) {
	if w.err == nil {
		w.err = w.encoder.Encode(l)
		w.lines++
	}
}
