package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestNamesAndHelpAreAsPrometheusWantsThem(t *testing.T) {
	s := used()
	problems, err := testutil.GatherAndLint(s.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestWhatIsCountedIsServed(t *testing.T) {
	s := used()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`everynode_actions_total{action="create",result="done"} 1`,
		`everynode_build_info{version="v1"} 1`,
		`everynode_facts{kind="nodes"} 12`,
		`everynode_feed_errors_total{kind="pods"} 1`,
		`everynode_feed_events_total{kind="pods",type="add"} 1`,
		`everynode_leader 1`,
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestANilSetCountsNothing(*testing.T) {
	use(nil)
}

func used() *Set {
	s := New("v1")
	use(s)
	return s
}

func use(s *Set) {
	s.FeedEvent("pods", "add")
	s.FeedError("pods")
	s.Planned(time.Millisecond)
	s.Action("create", "done", time.Millisecond)
	s.Facts("nodes", 12)
	s.Leading(true)
}
