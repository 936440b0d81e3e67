package simworld

import (
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/everynode/everynode/internal/plan"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// TestOneInTroubleHoldsUpNoOther denies every Pod of one DaemonSet on 200 nodes, in each way that a server can say no. The other
// gets its Pods at the same moments as if the first were well (I21), and the first asks ever less (I20).
func TestOneInTroubleHoldsUpNoOther(t *testing.T) {
	resource := resourceOf(apimodel.Pods)
	denials := map[string]error{
		"":    nil,
		"403": apierrors.NewForbidden(resource, "p", errors.New("exceeded quota: pods")),
		"404": denial(404), "409": denial(409), "422": denial(422), "429": apierrors.NewTooManyRequests("slow down", 1), "500": denial(500),
	}
	var well time.Duration
	for _, name := range sortedKeys(denials) {
		w := NewWorld(Schedule{Seed: 1, Setup: Setup{
			Placement: plan.Direct, Nodes: 200, Daemons: 2, Replicas: 1, ReadyAfter: time.Second, Grace: time.Second,
		}}, false)
		asked, filled := 0, time.Duration(0)
		w.API.Admit = func(p *corev1.Pod, _ bool) error {
			switch {
			case p.GenerateName == "e-":
				filled = w.now.Sub(epoch)
				return nil
			case denials[name] != nil:
				asked++
			}
			return denials[name]
		}
		w.begin()
		w.run(w.now.Add(10 * time.Minute))
		for _, v := range w.Found {
			t.Errorf("denied with %q: %s", name, v)
		}
		served := 0
		for _, p := range w.pods() {
			if p.GenerateName == "e-" && isReady(p) {
				served++
			}
		}
		if name == "" {
			well = filled
		}
		w.holds(Isolation, served == 200 && filled <= well+time.Second, func() string {
			return fmt.Sprintf("denied with %q: %d of 200 nodes serve the other, the last was asked for after %v; without denial after %v", name, served, filled, well)
		})
		if len(w.Found) > 0 {
			t.Error(w.Found[0])
		}
		if asked > 60 {
			t.Errorf("denied with %q: asked %d times in ten minutes", name, asked)
		}
		t.Logf("denied with %q: asked %d times in ten minutes; the other's last Pod after %v", name, asked, filled)
		w.close()
	}
}
