package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// change is one key at one revision of etcd.
type change struct {
	key   string
	rev   int64
	born  bool   // the key's first revision
	value []byte // nil when it was deleted
}

// recorder follows etcd's whole history. Etcd keeps old revisions until the API server compacts them, minutes later, so a
// recorder that reconnects misses nothing; if it ever did, gap says so.
type recorder struct {
	client *http.Client
	take   func(change)

	mu        sync.Mutex
	next      int64 // the revision to resume from
	connected int
	gap       error
}

// record begins at revision 1 and hands every change to take, in order, from one goroutine, until ctx ends.
func record(ctx context.Context, socket string, take func(change)) *recorder {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	r := &recorder{client: &http.Client{Transport: &http.Transport{DialContext: dial}}, take: take, next: 1}
	go func() {
		for ctx.Err() == nil {
			if err := r.follow(ctx); errors.Is(err, errCompacted) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	return r
}

var errCompacted = errors.New("etcd has dropped revisions that were not recorded yet")

// The parts of etcd's JSON that are read here. It writes numbers as strings, and leaves zeroes out.
type (
	header struct {
		Revision string `json:"revision"`
	}
	keyValue struct {
		Key     []byte `json:"key"`
		Created string `json:"create_revision"`
		Changed string `json:"mod_revision"`
		Value   []byte `json:"value"`
	}
	watchAnswer struct {
		Result struct {
			Compacted string `json:"compact_revision"`
			Events    []struct {
				Type string   `json:"type"`
				KV   keyValue `json:"kv"`
			} `json:"events"`
		} `json:"result"`
	}
)

// everything is the range of all keys.
var everything = map[string]any{"key": []byte{0}, "range_end": []byte{0}}

func (r *recorder) post(ctx context.Context, path string, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://etcd"+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return r.client.Do(request)
}

// follow reads one watch until it breaks.
func (r *recorder) follow(ctx context.Context) error {
	answer, err := r.post(ctx, "/v3/watch", map[string]any{"create_request": map[string]any{
		"key": everything["key"], "range_end": everything["range_end"], "start_revision": strconv.FormatInt(r.passed()+1, 10),
	}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	r.mu.Lock()
	r.connected++
	r.mu.Unlock()
	stream := json.NewDecoder(answer.Body)
	for {
		var a watchAnswer
		if err := stream.Decode(&a); err != nil {
			return err
		}
		if a.Result.Compacted != "" {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.gap = fmt.Errorf("%w: it goes back to %s, and %d is next", errCompacted, a.Result.Compacted, r.next)
			return r.gap
		}
		// All changes of a revision come in one answer.
		last := int64(0)
		for _, e := range a.Result.Events {
			c := change{key: string(e.KV.Key), rev: number(e.KV.Changed), born: e.KV.Created == e.KV.Changed, value: e.KV.Value}
			if e.Type == "DELETE" {
				c.value, c.born = nil, false
			}
			r.take(c)
			last = c.rev
		}
		if last > 0 {
			r.mu.Lock()
			r.next = last + 1
			r.mu.Unlock()
		}
	}
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// passed is the last revision that was taken.
func (r *recorder) passed() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next - 1
}

func (r *recorder) state() (reconnected int, gap error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.connected - 1, r.gap
}

// sync waits until everything that is in etcd now has been taken.
func (r *recorder) sync(ctx context.Context) error {
	now, err := r.revision(ctx)
	for err == nil && r.passed() < now {
		if _, err = r.state(); err == nil {
			err = pause(ctx, 20*time.Millisecond)
		}
	}
	return err
}

// revision is etcd's present one.
func (r *recorder) revision(ctx context.Context) (int64, error) {
	answer, err := r.post(ctx, "/v3/kv/range", map[string]any{"key": []byte{0}, "range_end": []byte{0}, "limit": "1", "keys_only": true})
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var a struct {
		Header header `json:"header"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil {
		return 0, err
	}
	if n := number(a.Header.Revision); n > 0 {
		return n, nil
	}
	return 0, fmt.Errorf("etcd answers %s and names no revision", answer.Status)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
