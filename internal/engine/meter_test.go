package engine

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/metrics"
	"github.com/everynode/everynode/internal/plan"
)

func TestAPlanIsMeasuredUntilItsDaemonSetIsGone(t *testing.T) {
	set := metrics.New("v1")
	m := meter{set: set, log: slog.New(slog.DiscardHandler)}
	served := func() string {
		w := httptest.NewRecorder()
		set.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		var lines []string
		for line := range strings.Lines(w.Body.String()) {
			if strings.HasPrefix(line, "everynode_daemonset_") && !strings.HasSuffix(line, " 0\n") {
				lines = append(lines, strings.TrimPrefix(line, "everynode_daemonset_"))
			}
		}
		return strings.Join(lines, "")
	}
	m.Planned(plan.Plan{
		Daemon: &fleet.Daemon{UID: "1", Object: &appsv1.DaemonSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "d"},
			Status: appsv1.DaemonSetStatus{Conditions: []appsv1.DaemonSetCondition{
				{Type: "Available", Status: "True", Reason: "MinimumNodesAvailable"}, {Type: "Foreign", Status: "True", Reason: "Other"},
			}},
		}},
		Counts:  plan.Counts{Desired: 3, Current: 2, Updated: 1},
		Waiting: map[fleet.Code]int{fleet.NoRoom: 2},
	}, plan.NewBook(), time.Millisecond)
	want := `condition{condition="Available",name="d",namespace="ns",reason="MinimumNodesAvailable"} 1
current_nodes{name="d",namespace="ns"} 2
desired_nodes{name="d",namespace="ns"} 3
updated_nodes{name="d",namespace="ns"} 1
waiting_nodes{name="d",namespace="ns",reason="NoRoom"} 2
`
	if got := served(); got != want {
		t.Errorf("served\n%swant\n%s", got, want)
	}
	m.Forgotten("1")
	if got := served(); got != "" {
		t.Errorf("served after the DaemonSet is gone:\n%s", got)
	}
}
