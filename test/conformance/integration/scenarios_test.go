package integration

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/test/harness"
)

// scenario is one of upstream's tests. Its name is upstream's.
type scenario struct {
	name string
	// onlyRolling is for those that upstream runs with one strategy, because they are about rollouts.
	onlyRolling bool
	play        func(*world)
}

var scenarios = []scenario{
	{name: "OneNodeDaemonLaunchesPod", play: oneNode},
	{name: "SimpleDaemonSetLaunchesPods", play: fiveNodes},
	{name: "DaemonSetWithNodeSelectorLaunchesPods", play: affinity},
	{name: "NotReadyNodeDaemonDoesLaunchPod", play: notReadyNode},
	{name: "InsufficientCapacityNode", play: insufficientCapacity},
	{name: "TaintedNode", play: taintedNode},
	{name: "UnschedulableNodeDaemonDoesLaunchPod", play: unschedulableNode},
	{name: "SimpleDaemonSetRestartsPodsOnTerminalPhase/Succeeded", play: restarts(ending{phase: "Succeeded"})},
	{name: "SimpleDaemonSetRestartsPodsOnTerminalPhase/Failed", play: restarts(ending{phase: "Failed"})},
	{name: "SimpleDaemonSetRestartsPodsOnTerminalPhase/Succeeded with finalizer", play: restarts(ending{phase: "Succeeded", finalizer: true})},
	{name: "UpdateStatusDespitePodCreationFailure", play: creationFailure},
	{name: "LaunchWithHashCollision", onlyRolling: true, play: hashCollision},
	{name: "DSCUpdatesPodLabelAfterDedupCurHistories", onlyRolling: true, play: duplicateHistory},
	{name: "DaemonSetRollingUpdateWithTolerations", onlyRolling: true, play: rolloutOverTaints},
}

var (
	onDelete = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
	rolling  = appsv1.DaemonSetUpdateStrategy{
		Type:          appsv1.RollingUpdateDaemonSetStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: ptr.To(intstr.FromInt32(1))},
	}
)

func TestDirect(t *testing.T) { play(t, "direct") }

func TestScheduler(t *testing.T) { play(t, "scheduler") }

// play runs all scenarios in one lab, one after the other: each has the cluster's nodes for itself.
func play(t *testing.T, placement string) {
	if testing.Short() {
		t.Skip("needs a running everynode")
	}
	lab := harness.Up(t, "--nodes", "0", "--placement", placement)
	for _, s := range scenarios {
		strategies := []appsv1.DaemonSetUpdateStrategy{onDelete, rolling}
		if s.onlyRolling {
			strategies = strategies[1:]
		}
		for _, strategy := range strategies {
			t.Run(s.name+"/"+string(strategy.Type), func(t *testing.T) {
				s.play(newWorld(t, lab, placement, strategy))
			})
		}
	}
}
