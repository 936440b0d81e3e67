package snapshot

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// longestLine bounds one object; the API server's own bound is less than half of that.
const longestLine = 8 << 20

// Broken says where and why a file cannot be read.
type Broken struct {
	Line int
	// Field is the place within the line, where that is known.
	Field string
	Why   string
}

func (b *Broken) Error() string {
	where := fmt.Sprintf("line %d", b.Line)
	if b.Field != "" {
		where += ", " + b.Field
	}
	return where + ": " + b.Why
}

// Read reads a file that Write made. It takes whole files only: what is cut off would be taken for what is not there.
func Read(r io.Reader) (*Snapshot, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 1<<16), longestLine)
	s := &Snapshot{}
	n, ended := 0, false
	for in.Scan() {
		n++
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		if ended {
			return nil, &Broken{Line: n, Why: "something follows the end; two files cannot be one"}
		}
		l, err := parse(in.Bytes(), n)
		if err != nil {
			return nil, err
		}
		if ended, err = s.take(l, n); err != nil {
			return nil, err
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &Broken{Line: n + 1, Why: fmt.Sprintf("longer than %d bytes, which no object is", longestLine)}
	case err != nil:
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	case n == 0:
		return nil, &Broken{Line: 1, Why: "the file is empty"}
	case !ended:
		return nil, &Broken{Line: n, Why: "the file ends here without its end line; it was cut off"}
	}
	return s, nil
}

func parse(text []byte, n int) (line, error) {
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // a misspelt field would be a fact that is lost
	if n == 1 {
		decoder = json.NewDecoder(bytes.NewReader(text)) // another version's head may have more
	}
	err := decoder.Decode(&l)
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil && decoder.More():
		return l, &Broken{Line: n, Why: "more than one object on a line"}
	case err == nil:
		return l, nil
	case errors.As(err, &kind):
		return l, &Broken{Line: n, Field: kind.Field, Why: fmt.Sprintf("a %s stands where a %s belongs", kind.Value, kind.Type)}
	case errors.As(err, &syntax):
		return l, &Broken{Line: n, Field: fmt.Sprintf("character %d", syntax.Offset), Why: "no JSON: " + syntax.Error()}
	}
	return l, &Broken{Line: n, Why: strings.TrimPrefix(err.Error(), "json: ")}
}

// take puts a line in its place. ended tells that it was the last.
func (s *Snapshot) take(l line, n int) (ended bool, err error) {
	if n == 1 {
		return false, s.begin(l.Head)
	}
	switch {
	case l.Node != nil:
		s.Nodes = append(s.Nodes, *l.Node)
	case l.Pod != nil:
		s.Pods = append(s.Pods, *l.Pod)
	case l.DaemonSet != nil:
		s.DaemonSets = append(s.DaemonSets, l.DaemonSet)
	case l.Revision != nil:
		s.Revisions = append(s.Revisions, l.Revision)
	case l.Event != nil:
		s.Events = append(s.Events, *l.Event)
	case l.Lease != nil:
		s.Leases = append(s.Leases, *l.Lease)
	case l.Quota != nil:
		s.Quotas = append(s.Quotas, l.Quota)
	case l.Missing != nil:
		s.Missing = append(s.Missing, *l.Missing)
	case l.Live != nil:
		if err := l.Live.Check(); err != nil {
			return false, &Broken{Line: n, Field: "live.version", Why: err.Error()}
		}
		s.Live = append(s.Live, *l.Live)
	case l.End != nil:
		if l.End.Lines != n-1 {
			return false, &Broken{Line: n, Field: "end.lines", Why: fmt.Sprintf("%d lines were written and %d are here; some were lost", l.End.Lines, n-1)}
		}
		return true, nil
	default:
		return false, &Broken{Line: n, Why: "no object that a snapshot holds"}
	}
	return false, nil
}

func (s *Snapshot) begin(h *head) error {
	switch {
	case h == nil || h.Format != Format:
		return &Broken{Line: 1, Field: "head.format", Why: "this is no snapshot; everynode snapshot writes one"}
	case h.Version < 1 || h.Version > FormatVersion:
		return &Broken{Line: 1, Field: "head.version", Why: fmt.Sprintf("the file has version %d and this program reads 1 to %d; use the everynode that wrote it, or take a new snapshot", h.Version, FormatVersion)}
	}
	s.Taken, s.Server, s.Redacted = h.Taken, h.Server, h.Redacted
	return nil
}
