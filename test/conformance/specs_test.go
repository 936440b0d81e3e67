package conformance

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	_ "k8s.io/component-base/logs/testinit" // klog's flags, which the framework reads
	_ "k8s.io/kubernetes/test/e2e/apps"     // the specs themselves
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"
	_ "k8s.io/kubernetes/test/e2e/framework/debug/init" // what the framework wants to be told at start
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
)

// childVariable makes this test binary upstream's e2e.test: it runs the specs that its flags ask for, and nothing else.
const childVariable = "EVERYNODE_CONFORMANCE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(runSpecs())
	}
	os.Exit(m.Run())
}

// runSpecs does what the main function and RunE2ETests of upstream's e2e.test do. Those two are not imported because
// they bring every other area's specs with them, and with those ten times the packages to compile.
func runSpecs() int {
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Usage = func() {} // four hundred lines that would hide which flag is wrong
	flag.Parse()
	framework.AfterReadingAllFlags(&framework.TestContext)

	gomega.RegisterFailHandler(framework.Fail)
	suite, reporter := framework.CreateGinkgoConfig()
	if !ginkgo.RunSpecs(failure{}, "upstream's DaemonSet specs", suite, reporter) {
		return 1
	}
	return 0
}

// failure stands in for the *testing.T that Ginkgo asks for: the result of RunSpecs says the same.
type failure struct{}

func (failure) Fail() { fmt.Fprintln(os.Stderr, "the suite failed") }
