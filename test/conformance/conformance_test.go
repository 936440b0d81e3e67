package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/everynode/everynode/test/harness"
)

const (
	focus = `\[sig-apps\] (Daemon set|ControllerRevision)`
	// suiteLimit lets both placements report what failed before `go test` gives up after its ten minutes. A spec that
	// waits in vain waits five minutes; one that has nothing to wait for takes seconds.
	suiteLimit = 3*time.Minute + 30*time.Second
	// childGrace is what the specs' clean-up may take after the limit.
	childGrace = 45 * time.Second
)

// wanted are all specs that the focus selects.
var wanted = []string{
	"[sig-apps] ControllerRevision should manage the lifecycle of a ControllerRevision [Conformance] [Serial]",
	"[sig-apps] Daemon set should list and delete a collection of DaemonSets [Conformance] [Serial]",
	"[sig-apps] Daemon set should not update pod when spec was updated and update strategy is OnDelete [Serial]",
	"[sig-apps] Daemon set should retry creating failed daemon pods [Conformance] [Serial]",
	"[sig-apps] Daemon set should rollback without unnecessary restarts [Conformance] [Serial]",
	"[sig-apps] Daemon set should run and stop complex daemon [Conformance] [Serial]",
	"[sig-apps] Daemon set should run and stop complex daemon with node affinity [Serial]",
	"[sig-apps] Daemon set should run and stop simple daemon [Conformance] [Serial]",
	"[sig-apps] Daemon set should update pod when spec was updated and update strategy is RollingUpdate [Conformance] [Serial]",
	"[sig-apps] Daemon set should verify changes to a daemon set status [Conformance] [Serial]",
}

// leftOut are specs that the focus would select, with a part of their name that leaves them out.
var leftOut = map[string]string{
	// It runs commands in the daemon's containers, and a simulated node has none.
	"[sig-apps] Daemon set should surge pods onto nodes when spec was updated and update strategy is RollingUpdate [Serial]": "surge pods onto nodes",
}

func TestUpstreamSpecs(t *testing.T) {
	if testing.Short() {
		t.Skip("upstream's specs take about half a minute")
	}
	for _, placement := range []string{"direct", "scheduler"} {
		t.Run(placement, func(t *testing.T) {
			lab := harness.Up(t, "--placement", placement)
			report, output := runChild(t, lab, focus, suiteLimit)
			verdict := judge(report, wanted, leftOut)
			fmt.Printf("conformance: %d of %d specs passed, placement %s\n", len(verdict.passed), len(wanted), placement)
			if len(verdict.problems) == 0 && report.SuiteSucceeded {
				return
			}
			for _, problem := range verdict.problems {
				t.Error(problem)
			}
			t.Errorf("the suite failed: %q; the child's output ends:\n%s", report.SpecialSuiteFailureReasons, tail(output, 40))
			t.Logf("the lab's log ends:\n%s", labLog(lab))
		})
	}
}

// A spec that passes on a cluster where nobody looks after DaemonSets would prove nothing; nor would a runner that
// cannot tell how one fails. One spec will do, for each has to wait for daemons first.
func TestNoSpecPassesWithoutController(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lab and waits for specs to fail")
	}
	lab := harness.Up(t, "--nodes", "2", "--controller=false")
	report, _ := runChild(t, lab, "should run and stop simple daemon", 20*time.Second)
	verdict := judge(report, wanted, leftOut)
	if len(verdict.passed) != 0 {
		t.Errorf("passed without a controller: %q", verdict.passed)
	}
	if len(verdict.problems) != len(wanted) {
		t.Errorf("%d problems, want one for each of %d specs: %q", len(verdict.problems), len(wanted), verdict.problems)
	}
	told := strings.Join(verdict.problems, "\n")
	for _, text := range []string{"error waiting for daemon pod to start", "daemon_set.go:", "its log ends:"} {
		if !strings.Contains(told, text) {
			t.Errorf("the problems do not tell %q:\n%s", text, told)
		}
	}
	if log := labLog(lab); !strings.Contains(log, "everynode.log:\n") {
		t.Errorf("the lab's log is not found: %s", log)
	}
}

// runChild re-executes this binary as upstream's e2e.test and gives its report and its output. After the limit, specs
// that still run or have not begun count as failed.
func runChild(t *testing.T, lab *harness.Lab, focus string, limit time.Duration) (types.Report, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	args := []string{
		"--kubeconfig=" + lab.Kubeconfig, "--provider=skeleton", "--kube-api-content-type=application/vnd.kubernetes.protobuf",
		// One of the nodes is cordoned and one tainted, as in any cluster; nothing has to wait for them.
		"--allowed-not-ready-nodes=-1",
		// A failed spec shows its Pods and events; of nodes there is nothing to gather.
		"--dump-logs-on-failure=true", "--max-nodes-to-gather-from=0", "--disable-log-dump", "--e2e-output-dir=" + dir,
		"--ginkgo.focus=" + focus, "--ginkgo.timeout=" + limit.String(), "--ginkgo.no-color", "--ginkgo.silence-skips",
		"--ginkgo.json-report=" + path,
	}
	for _, skip := range leftOut {
		args = append(args, "--ginkgo.skip="+skip)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit+childGrace)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), childVariable+"=1", "HOME="+lab.Home, "KUBECONFIG=")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	runErr := cmd.Run()

	// A failed spec ends the child with a failure too; the report tells more. No report is another matter.
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the specs left no report (%v; they ended with: %v)\n%s", err, runErr, tail(output.String(), 100))
	}
	var reports []types.Report
	if err := json.Unmarshal(raw, &reports); err != nil || len(reports) != 1 {
		t.Fatalf("report.json holds %d reports, error %v; want one", len(reports), err)
	}
	if passed := runErr == nil; passed != reports[0].SuiteSucceeded {
		t.Errorf("the child ended with %v but reports succeeded=%v", runErr, reports[0].SuiteSucceeded)
	}
	return reports[0], output.String()
}

// labLog is the end of the log of all the lab's parts.
func labLog(lab *harness.Lab) string {
	logs, err := filepath.Glob(filepath.Join(lab.Tmp, "*", "*.log"))
	if err != nil || len(logs) == 0 {
		return fmt.Sprintf("(no log below %s, error %v)", lab.Tmp, err)
	}
	var b strings.Builder
	for _, path := range logs {
		raw, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", path, err)
			continue
		}
		fmt.Fprintf(&b, "%s:\n%s\n", filepath.Base(path), tail(string(raw), 60))
	}
	return b.String()
}
