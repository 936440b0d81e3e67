package metrics

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestNamesAndHelpAreAsPrometheusWantsThem(t *testing.T) {
	problems, err := testutil.GatherAndLint(used().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestWhatIsDeclaredIsServed holds the declarations, which the reference and the check of alerts and dashboard go by, to what
// a registry gives.
func TestWhatIsDeclaredIsServed(t *testing.T) {
	families, err := used().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "everynode_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		served[f.GetName()] = fmt.Sprintf("%s %v %s", strings.ToLower(f.GetType().String()), labels, f.GetHelp())
	}
	for _, m := range All() {
		labels := slices.Sorted(slices.Values(m.Labels))
		if want := fmt.Sprintf("%s %v %s", m.Type, labels, m.Help); served[m.Name] != want {
			t.Errorf("%s: served is %q, declared %q", m.Name, served[m.Name], want)
		}
		for _, l := range m.Labels {
			if l == "node" || l == "pod" {
				t.Errorf("%s has the label %s: its series would grow with the fleet", m.Name, l)
			}
		}
		delete(served, m.Name)
	}
	for name := range served {
		t.Errorf("%s is served and not declared", name)
	}
}

func TestWhatIsCountedIsServed(t *testing.T) {
	text := served(used())
	for _, line := range []string{
		`everynode_actions_total{action="create",result="done"} 1`,
		`everynode_api_requests_total{code="201",verb="create"} 1`,
		`everynode_api_requests_total{code="200",verb="watch"} 1`,
		`everynode_api_requests_total{code="error",verb="delete"} 1`,
		`everynode_build_info{version="v1"} 1`,
		`everynode_daemonset_available_nodes{name="d",namespace="ns"} 2`,
		`everynode_daemonset_condition{condition="Available",name="d",namespace="ns",reason="MinimumNodesAvailable"} 1`,
		`everynode_daemonset_condition{condition="Progressing",name="d",namespace="ns",reason="NoRoom"} 0`,
		`everynode_daemonset_current_nodes{name="d",namespace="ns"} 4`,
		`everynode_daemonset_desired_nodes{name="d",namespace="ns"} 5`,
		`everynode_daemonset_misscheduled_nodes{name="d",namespace="ns"} 6`,
		`everynode_daemonset_ready_nodes{name="d",namespace="ns"} 3`,
		`everynode_daemonset_updated_nodes{name="d",namespace="ns"} 1`,
		`everynode_daemonset_waiting_nodes{name="d",namespace="ns",reason="NoRoom"} 2`,
		`everynode_events_sent_total{reason="SuccessfulCreate",type="Normal"} 1`,
		`everynode_facts{kind="nodes"} 12`,
		`everynode_feed_errors_total{kind="pods"} 1`,
		`everynode_feed_events_total{kind="pods",type="add"} 1`,
		`everynode_feed_lag_seconds_sum 0.25`,
		`everynode_leader 1`,
		`everynode_node_to_pod_seconds_sum 0.5`,
		`everynode_synced 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestANilSetCountsNothing(t *testing.T) {
	use(nil)
	if got := (*Set)(nil).Transport(http.DefaultTransport); got != http.DefaultTransport {
		t.Errorf("requests go through %T", got)
	}
}

func TestSeriesEndWithTheirReasonAndTheirDaemonSet(t *testing.T) {
	s := New("v1")
	count := func() string {
		return fmt.Sprint(testutil.CollectAndCount(newFleetCollector(s), "everynode_daemonset_desired_nodes"),
			testutil.CollectAndCount(newFleetCollector(s), "everynode_daemonset_waiting_nodes"))
	}
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"two DaemonSets", func() {
			s.DaemonSet("a", DaemonSet{Name: "a", Waiting: map[string]int{"NoRoom": 2, "BudgetUsed": 5}})
			s.DaemonSet("b", DaemonSet{Name: "b", Waiting: map[string]int{"NoRoom": 1}})
		}, "2 3"},
		{"a reason is over", func() { s.DaemonSet("a", DaemonSet{Name: "a", Waiting: map[string]int{"BudgetUsed": 4}}) }, "2 2"},
		{"one is made anew", func() { s.DaemonSet("b2", DaemonSet{Name: "b"}) }, "2 1"},
		{"its namesake is forgotten late", func() { s.Forget("b") }, "2 1"},
		{"both are gone", func() { s.Forget("a"); s.Forget("b2") }, "0 0"},
	} {
		if step.do(); count() != step.want {
			t.Errorf("%s: %s series, want %s", step.what, count(), step.want)
		}
	}
}

func TestWhatIsToldIsACopy(t *testing.T) {
	s, waiting := New("v1"), map[string]int{"NoRoom": 2}
	s.DaemonSet("a", DaemonSet{Namespace: "ns", Name: "a", Waiting: waiting})
	waiting["NoRoom"] = 7
	if line := `everynode_daemonset_waiting_nodes{name="a",namespace="ns",reason="NoRoom"} 2`; !strings.Contains(served(s), line) {
		t.Errorf("missing: %s", line)
	}
}

func served(s *Set) string {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func used() *Set {
	s := New("v1")
	use(s)
	return s
}

func use(s *Set) {
	s.FeedEvent("pods", "add")
	s.FeedError("pods")
	s.FeedLag(250 * time.Millisecond)
	s.Planned(time.Millisecond)
	s.Action("create", "done", time.Millisecond)
	s.EventSent("Normal", "SuccessfulCreate")
	s.Facts("nodes", 12)
	s.Leading(true)
	s.Synced(true)
	s.NodeToPod(500 * time.Millisecond)
	s.DaemonSet("uid", DaemonSet{
		Namespace: "ns", Name: "d", Desired: 5, Current: 4, Ready: 3, Available: 2, Updated: 1, Misscheduled: 6, Waiting: map[string]int{"NoRoom": 2},
		Conditions: map[string]Condition{"Available": {True: true, Reason: "MinimumNodesAvailable"}, "Progressing": {Reason: "NoRoom"}},
	})
	s.Forget("other")
	through := s.Transport(answers{})
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodPost, "/api/v1/namespaces/ns/pods", nil),
		httptest.NewRequest(http.MethodGet, "/api/v1/pods?watch=true", nil),
		httptest.NewRequest(http.MethodDelete, "/api/v1/namespaces/ns/pods/p", nil),
	} {
		if answer, err := through.RoundTrip(r); err == nil {
			_ = answer.Body.Close() // there is nothing in it
		}
	}
}

// answers is an API server that makes what it is asked for, shows the rest, and is gone when something should be deleted.
type answers struct{}

func (answers) RoundTrip(r *http.Request) (*http.Response, error) {
	code := http.StatusOK
	switch r.Method {
	case http.MethodPost:
		code = http.StatusCreated
	case http.MethodDelete:
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(""))}, nil
}
