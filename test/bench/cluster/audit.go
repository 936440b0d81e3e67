package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Audit reads the API server's audit log, which holds what the contender asks for and nothing else.
type Audit struct {
	path   string
	offset int64
}

// auditPolicy logs each request of the contender once; it costs the same for all of them.
func auditPolicy() string {
	return `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["` + accountUser + `"]
- level: None
`
}

// auditEvent is what is read of one line.
type auditEvent struct {
	Stage, Verb string
	ObjectRef   *struct{ Resource, Subresource string }
	RequestURI  string
	Status      struct{ Code int } `json:"responseStatus"`
}

// Calls counts the requests that were answered since the last call of Calls, as "create pods" or "update
// daemonsets/status"; those that were refused have the status code behind that.
func (a *Audit) Calls() (map[string]int, error) {
	calls := map[string]int{}
	f, err := os.Open(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return calls, nil // the server makes it at the first request
	}
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := f.Seek(a.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	n, err := count(bufio.NewReaderSize(f, 1<<20), calls)
	a.offset += n
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return calls, nil
}

// count adds whole lines to calls and tells how many bytes they had. A line that is being written is left for later.
func count(r *bufio.Reader, calls map[string]int) (int64, error) {
	var read int64
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return read, nil
		}
		if err != nil {
			return read, err
		}
		read += int64(len(line))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return read, fmt.Errorf("%w in %q", err, line)
		}
		if name := e.name(); name != "" {
			calls[name]++
		}
	}
}

// name is empty for a line that tells of a request a second time: the end of a watch.
func (e auditEvent) name() string {
	if (e.Verb == "watch") != (e.Stage == "ResponseStarted") {
		return ""
	}
	name := e.Verb + " " + e.RequestURI
	if e.ObjectRef != nil {
		name = e.Verb + " " + e.ObjectRef.Resource
		if e.ObjectRef.Subresource != "" {
			name += "/" + e.ObjectRef.Subresource
		}
	}
	if e.Status.Code >= 400 {
		name += fmt.Sprintf(" %d", e.Status.Code)
	}
	return name
}
