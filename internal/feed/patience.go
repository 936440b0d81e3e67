package feed

import (
	"bufio"
	"context"
	"net"
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
	// dialTimeout and keepAlive are those of client-go's own connections.
	dialTimeout, keepAlive = 30 * time.Second, 30 * time.Second
)

// patient is a connection that is not read again at once. Something that comes alone wakes goroutine after goroutine for a few hundred
// bytes, from the network to the loop that decides; the same wake-ups serve all that has come in a while. Nothing that is sent waits.
type patient struct {
	net.Conn
	buffer *bufio.Reader
}

func newPatient(conn net.Conn) *patient {
	return &patient{Conn: conn, buffer: bufio.NewReaderSize(&paused{conn: conn}, bufferSize)}
}

// Read reads what has come; one goroutine may use it.
func (c *patient) Read(b []byte) (int, error) { return c.buffer.Read(b) }

// paused reads a connection that it has emptied no more often than once a pause, but for a few reads after a quiet time.
type paused struct {
	conn net.Conn
	// due is when the next read would be if all had been a pause apart.
	due time.Time
}

func (r *paused) Read(b []byte) (int, error) {
	time.Sleep(time.Until(r.due.Add(-(few - 1) * pause)))
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
