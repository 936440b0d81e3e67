package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/everynode/everynode/internal/lab"
)

func newKubectlCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "kubectl [anything kubectl takes]",
		Short: "The kubectl of this Kubernetes version, pointed at the lab that is running",
		Long: `All arguments go to kubectl. Without --kubeconfig and KUBECONFIG, the kubeconfig that "everynode up" writes is
used while it exists, and kubectl's own default otherwise.`,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			return runKubectl(args)
		},
	}
}

func runKubectl(args []string) error {
	if err := useLab(args); err != nil {
		return err
	}
	// kubectl looks at the process's arguments itself, for plugins and its rc file.
	os.Args = append([]string{"kubectl"}, args...)
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)); err != nil {
		return err
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints it kubectl's way and exits
	}
	return nil
}

// useLab points kubectl at the lab's default kubeconfig, unless the user chose one.
func useLab(args []string) error {
	if os.Getenv("KUBECONFIG") != "" || choosesKubeconfig(args) {
		return nil
	}
	path, err := lab.DefaultKubeconfig()
	if err != nil {
		return nil //nolint:nilerr // no home directory: kubectl has its own way to say so
	}
	if _, err := os.Stat(path); err != nil {
		return nil //nolint:nilerr // no lab is running
	}
	return os.Setenv("KUBECONFIG", path)
}

func choosesKubeconfig(args []string) bool {
	for _, a := range args {
		if a == "--" {
			return false
		}
		if a == "--kubeconfig" || strings.HasPrefix(a, "--kubeconfig=") {
			return true
		}
	}
	return false
}
