package feed

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

const (
	// pause is how far apart reads of a connection are while much comes. What comes alone is read at once, and so are the few reads that
	// follow it closely: of what happened before it, the API server may tell a little later.
	pause = 50 * time.Millisecond
	// few is how many reads need no pause after a quiet time.
	few = 4
	// bufferSize is how much is taken from the system at a time; if that much was there, there is no pause.
	bufferSize = 32 << 10
	// short is what has no more bytes than two HTTP/2 frames that say how much has been read, encrypted; any request has more.
	short = 48
	// dialTimeout and keepAlive are those of client-go's own connections.
	dialTimeout, keepAlive = 30 * time.Second, 30 * time.Second
)

// patient is a connection that is not read again at once. Something that comes alone wakes goroutine after goroutine for a few hundred
// bytes, from the network to the loop that decides; the same wake-ups serve all that has come in a while. No request that is sent
// waits: only what tells the server how much has been read goes out with the next one, or at the end of the pause.
type patient struct {
	net.Conn
	buffer *bufio.Reader
	out    *outbox
}

func newPatient(conn net.Conn) *patient {
	out := &outbox{conn: conn}
	return &patient{Conn: conn, buffer: bufio.NewReaderSize(&paused{conn: conn, out: out}, bufferSize), out: out}
}

// Read reads what has come; one goroutine may use it.
func (c *patient) Read(b []byte) (int, error) { return c.buffer.Read(b) }

// Write sends, or keeps what is short until the end of a pause.
func (c *patient) Write(b []byte) (int, error) { return c.out.Write(b) }

// outbox is what has yet to be sent on a connection. Who reads never waits for a write: a server may be slow to read.
type outbox struct {
	conn net.Conn
	// writing is held while something is written or kept, so that all of it goes out in the order in which it came.
	writing sync.Mutex
	// state guards the rest, and only for a moment.
	state   sync.Mutex
	pausing bool
	kept    []byte
	failed  error // why what was kept could not be sent
}

func (o *outbox) Write(b []byte) (int, error) {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.state.Lock()
	before, err := len(o.kept), o.failed
	keeps := o.pausing && len(b) <= short
	if err == nil && (keeps || before > 0) {
		o.kept = append(o.kept, b...)
	}
	o.state.Unlock()
	switch {
	case err != nil:
		return 0, err
	case keeps:
		return len(b), nil
	case before == 0:
		return o.conn.Write(b)
	}
	if err := o.empty(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// empty sends what was kept; writing is held, so that nothing comes to it meanwhile.
func (o *outbox) empty() error {
	o.state.Lock()
	kept := o.kept
	o.kept = o.kept[:0]
	o.state.Unlock()
	if len(kept) == 0 {
		return nil
	}
	_, err := o.conn.Write(kept)
	return err
}

// flush is empty for nobody who waits: the next write tells if it failed.
func (o *outbox) flush() {
	o.writing.Lock()
	defer o.writing.Unlock()
	if err := o.empty(); err != nil {
		o.state.Lock()
		o.failed = err
		o.state.Unlock()
	}
}

// pause keeps what is short until a moment.
func (o *outbox) pause(until time.Time) {
	d := time.Until(until)
	if d <= 0 {
		return
	}
	o.setPausing(true)
	time.Sleep(d)
	if o.setPausing(false) {
		go o.flush()
	}
}

// setPausing begins or ends a pause; some tells that something is kept.
func (o *outbox) setPausing(on bool) (some bool) {
	o.state.Lock()
	defer o.state.Unlock()
	o.pausing = on
	return len(o.kept) > 0
}

// paused reads a connection that it has emptied no more often than once a pause, but for a few reads after a quiet time.
type paused struct {
	conn net.Conn
	out  *outbox
	// due is when the next read would be if all had been a pause apart.
	due time.Time
}

func (r *paused) Read(b []byte) (int, error) {
	r.out.pause(r.due.Add(-(few - 1) * pause))
	n, err := r.conn.Read(b)
	if n < len(b) {
		now := time.Now()
		if r.due.Before(now) {
			r.due = now
		}
		r.due = r.due.Add(pause)
	}
	return n, err
}

// patiently has the connections of cfg read with pauses; they are not shared with those of other configs.
func patiently(cfg *rest.Config) {
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	}
	cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newPatient(conn), nil
	}
}
