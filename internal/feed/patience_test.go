package feed

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a connection on which bytes come at certain times.
type scripted struct {
	net.Conn
	start time.Time
	come  []chunk
	// reads and writes are the times of reads and writes of the system, and wrote is what went out.
	reads, writes []time.Duration
	wrote         string
	// stuck is how long a write takes; refuse is what becomes of it.
	stuck  time.Duration
	refuse error
}

func (s *scripted) Write(b []byte) (int, error) {
	if time.Sleep(s.stuck); s.refuse != nil {
		return 0, s.refuse
	}
	s.writes, s.wrote = append(s.writes, time.Since(s.start)), s.wrote+string(b)
	return len(b), nil
}

type chunk struct {
	at   time.Duration
	size int
}

// Read waits for the first byte that is due, and takes all that has come by then.
func (s *scripted) Read(b []byte) (int, error) {
	if len(s.come) == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Until(s.start.Add(s.come[0].at)))
	n := 0
	for len(s.come) > 0 && !time.Now().Before(s.start.Add(s.come[0].at)) && n < len(b) {
		took := min(s.come[0].size, len(b)-n)
		n += took
		if s.come[0].size -= took; s.come[0].size == 0 {
			s.come = s.come[1:]
		}
	}
	s.reads = append(s.reads, time.Since(s.start))
	return n, nil
}

// readAll gives when bytes got to the reader, and how many in all.
func readAll(t *testing.T, come ...chunk) (*scripted, int) {
	t.Helper()
	s := &scripted{start: time.Now(), come: come}
	all, err := io.ReadAll(newPatient(s))
	if err != nil {
		t.Fatal(err)
	}
	return s, len(all)
}

// What comes alone is read when it comes.
func TestWhatComesAloneDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := readAll(t, chunk{0, 300}, chunk{time.Second, 300}, chunk{5 * time.Second, 300})
		if want := []time.Duration{0, time.Second, 5 * time.Second}; !slices.Equal(s.reads, want) || n != 900 {
			t.Errorf("read at %v, want %v; %d bytes", s.reads, want, n)
		}
	})
}

// Of many that come one by one, a few are read at once, and then those of one pause together.
func TestManyAreReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var come []chunk
		for i := range 100 {
			come = append(come, chunk{time.Duration(i) * time.Millisecond, 300})
		}
		s, n := readAll(t, come...)
		ms := time.Millisecond
		if want := []time.Duration{0, 1 * ms, 2 * ms, 3 * ms, 50 * ms, 100 * ms}; !slices.Equal(s.reads, want) || n != 100*300 {
			t.Errorf("read at %v, want %v; %d bytes", s.reads, want, n)
		}
	})
}

// A large list is read as fast as it comes.
func TestALargeListDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := readAll(t, chunk{0, 10*bufferSize + 1})
		if last := s.reads[len(s.reads)-1]; last != 0 || n != 10*bufferSize+1 {
			t.Errorf("the last read was after %v; %d bytes", last, n)
		}
	})
}

// In a pause, what is short waits for its end or for a request, and all goes out in order; nothing waits where nothing pauses.
func TestOnlyWhatIsShortWaitsForTheEndOfAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		s := &scripted{start: time.Now(), come: []chunk{{0, 1}, {1 * ms, 1}, {2 * ms, 1}, {3 * ms, 1}, {4 * ms, 1}, {time.Second, 1}}}
		c, request := newPatient(s), strings.Repeat("R", short+1)
		read := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, c)
			read <- err
		}()
		for _, send := range []struct {
			at   time.Duration
			what string
		}{{2500 * time.Microsecond, "a"}, {10 * ms, "b"}, {20 * ms, "c"}, {30 * ms, request}, {40 * ms, "d"}, {500 * ms, "e"}} {
			time.Sleep(time.Until(s.start.Add(send.at)))
			if n, err := c.Write([]byte(send.what)); n != len(send.what) || err != nil {
				t.Fatalf("%q: %d bytes, %v", send.what, n, err)
			}
		}
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		if want := []time.Duration{2500 * time.Microsecond, 30 * ms, 50 * ms, 500 * ms}; !slices.Equal(s.writes, want) || s.wrote != "abc"+request+"de" {
			t.Errorf("sent at %v, want %v: %q", s.writes, want, s.wrote)
		}
	})
}

// A server that is slow to read delays nothing that it tells.
func TestReadingDoesNotWaitForWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		s := &scripted{start: time.Now(), stuck: time.Second, come: []chunk{{0, 1}, {1 * ms, 1}, {2 * ms, 1}, {3 * ms, 1}, {4 * ms, 1}, {100 * ms, 1}, {200 * ms, 1}}}
		c := newPatient(s)
		time.AfterFunc(10*ms, func() { _, _ = c.Write([]byte("kept")) })
		if n, err := io.Copy(io.Discard, c); n != 7 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if want := []time.Duration{0, 1 * ms, 2 * ms, 3 * ms, 50 * ms, 100 * ms, 200 * ms}; !slices.Equal(s.reads, want) {
			t.Errorf("read at %v, want %v", s.reads, want)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []time.Duration{1050 * ms}; !slices.Equal(s.writes, want) || s.wrote != "kept" {
			t.Errorf("sent at %v, want %v: %q", s.writes, want, s.wrote)
		}
	})
}

// What was kept and could not be sent is told to who writes next.
func TestAFailedWriteIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		s := &scripted{start: time.Now(), refuse: net.ErrClosed, come: []chunk{{0, 1}, {1 * ms, 1}, {2 * ms, 1}, {3 * ms, 1}, {4 * ms, 1}}}
		c := newPatient(s)
		time.AfterFunc(10*ms, func() {
			if n, err := c.Write([]byte("kept")); n != 4 || err != nil {
				t.Errorf("in a pause: %d bytes, %v", n, err)
			}
		})
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.refuse = nil
		if n, err := c.Write([]byte("more")); n != 0 || !errors.Is(err, net.ErrClosed) || s.wrote != "" {
			t.Errorf("after a failure: %d bytes, %v, sent %q; want none, %v", n, err, s.wrote, net.ErrClosed)
		}
	})
}
