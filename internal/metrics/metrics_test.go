package metrics

import (
	"net/http"
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
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`everynode_actions_total{action="create",result="done"} 1`,
		`everynode_build_info{version="v1"} 1`,
		`everynode_facts{kind="nodes"} 12`,
		`everynode_feed_errors_total{kind="pods"} 1`,
		`everynode_feed_events_total{kind="pods",type="add"} 1`,
		`everynode_leader 1`,
		`everynode_node_to_pod_seconds_sum 0.5`,
		`everynode_slots_waiting{reason="NoRoom"} 2`,
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestANilSetCountsNothing(*testing.T) {
	use(nil)
}

func TestWaitingSlotsAreSummedOverDaemonSets(t *testing.T) {
	s := New("v1")
	of := func(reason string) float64 { return testutil.ToFloat64(s.waiting.WithLabelValues(reason)) }
	s.Waiting("a", map[string]int{"NoRoom": 2, "BudgetUsed": 5})
	s.Waiting("b", map[string]int{"NoRoom": 1})
	if of("NoRoom") != 3 || of("BudgetUsed") != 5 {
		t.Errorf("NoRoom %v, BudgetUsed %v; want 3 and 5", of("NoRoom"), of("BudgetUsed"))
	}
	s.Waiting("a", map[string]int{"BudgetUsed": 4})
	s.Waiting("b", nil)
	if of("NoRoom") != 0 || of("BudgetUsed") != 4 || len(s.waits) != 1 {
		t.Errorf("NoRoom %v, BudgetUsed %v, %d DaemonSets; want 0, 4 and 1", of("NoRoom"), of("BudgetUsed"), len(s.waits))
	}
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
	s.NodeToPod(500 * time.Millisecond)
	s.Waiting("a", map[string]int{"NoRoom": 2})
}
