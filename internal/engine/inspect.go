package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/live"
)

// inspectLimit is how long a question waits for the loop. It answers between two rounds, which take milliseconds; a replica that
// stands by has no loop.
const inspectLimit = 3 * time.Second

// ErrNotActing is what an Inspector says of a controller that does not act: it stands by, or has not read everything yet.
var ErrNotActing = errors.New("this replica does not act: it stands by, or has not read the cluster yet; ask the one that holds the lease")

// Inspector asks a running controller what it knows. It only reads, and the loop's own goroutine does.
type Inspector struct{ asks chan ask }

// ask is one question, and where the answer goes.
type ask struct {
	key    types.NamespacedName
	answer chan *live.State // nil for a DaemonSet that is not known
}

// NewInspector makes an Inspector for Options.
func NewInspector() *Inspector { return &Inspector{asks: make(chan ask)} }

// questions are what a loop answers. Without an Inspector nobody asks.
func (i *Inspector) questions() <-chan ask {
	if i == nil {
		return nil
	}
	return i.asks
}

// DaemonSet gives what the controller knows of a DaemonSet, or nil if it knows of none by that name.
func (i *Inspector) DaemonSet(ctx context.Context, key types.NamespacedName) (*live.State, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, inspectLimit, ErrNotActing)
	defer cancel()
	q := ask{key: key, answer: make(chan *live.State, 1)}
	select {
	case i.asks <- q:
		return <-q.answer, nil // the loop has taken the question, and answers at once
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// tell answers a question.
func (l *loop) tell(q ask, now time.Time) { q.answer <- l.core.Inspect(q.key, now) }

// Inspect gives what the Core knows of a DaemonSet, or nil if it knows none by that name.
func (c *Core) Inspect(key types.NamespacedName, now time.Time) *live.State {
	d := c.Fleet.Daemon(key)
	if d == nil {
		return nil
	}
	s := live.Read(d, string(c.placement), now)
	k := c.desks[d.UID]
	if k == nil {
		return &s
	}
	s.Calls, s.StatusUnderWay = k.busy, k.writing
	if k.stalledOn != 0 {
		since := k.stalledSince
		s.StandsSince = &since
	}
	if !k.wake.IsZero() {
		wake := k.wake
		s.Next = &wake
	}
	return &s
}

// Handler answers GET /debug/everynode/daemonsets/{namespace}/{name} with a live.State as JSON.
func (i *Inspector) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+live.PathPrefix+"{namespace}/{name}", func(w http.ResponseWriter, r *http.Request) {
		key := types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
		state, err := i.DaemonSet(r.Context(), key)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		case state == nil:
			http.Error(w, fmt.Sprintf("the controller knows no DaemonSet %s", key), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(state) // whoever asked has gone, if this fails
	})
	return mux
}

// ServeSocket answers on a unix socket until ctx ends, for whoever may enter its directory.
func (i *Inspector) ServeSocket(ctx context.Context, path string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("the controller's socket %s: %w", path, err)
	}
	return open(ctx, []door{{what: "debug", flag: path, handler: i.Handler(), listener: listener}}, nil)
}
