package engine

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/live"
)

// loopThat answers questions as the loop does, until the test ends.
func loopThat(t *testing.T, i *Inspector, states map[types.NamespacedName]*live.State) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case q := <-i.questions():
				q.answer <- states[q.key]
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

func TestInspectorAnswers(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	known := &live.State{
		Version: live.Version, Taken: at, Placement: "direct", Namespace: "monitoring", Name: "exporter", UID: "u", Generation: 3, Calls: 2,
		Nodes: []live.Node{{Name: "n1", Refused: &live.Backoff{Until: at.Add(time.Minute), Seconds: 60, Epoch: 3, Code: "CallBackoff", Text: "exceeded quota"}}},
	}
	i := NewInspector()
	loopThat(t, i, map[types.NamespacedName]*live.State{known.Key(): known})
	for path, want := range map[string]struct {
		code int
		body string
	}{
		"/debug/everynode/daemonsets/monitoring/other": {http.StatusNotFound, "the controller knows no DaemonSet monitoring/other\n"},
		"/debug/everynode/daemonsets/monitoring":       {http.StatusNotFound, "404 page not found\n"},
	} {
		w := httptest.NewRecorder()
		i.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want.code || w.Body.String() != want.body {
			t.Errorf("GET %s: %d %q", path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, live.PathPrefix+"monitoring/exporter", nil))
	var got live.State
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if diff := cmp.Diff(known, &got); diff != "" {
		t.Error(diff)
	}
	// It only reads.
	w = httptest.NewRecorder()
	i.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, live.PathPrefix+"monitoring/exporter", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// A replica that stands by has no loop: it says so rather than telling nothing.
func TestInspectorOfAReplicaThatStandsBy(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrNotActing)
	state, err := NewInspector().DaemonSet(ctx, types.NamespacedName{Namespace: "a", Name: "b"})
	if state != nil || !errors.Is(err, ErrNotActing) {
		t.Errorf("state %v, error %v", state, err)
	}
}
