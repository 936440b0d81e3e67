package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/everynode/everynode/internal/cli"
)

func main() {
	// Packages of Kubernetes register flags for their own commands there, and cobra would offer them as ours.
	pflag.CommandLine = pflag.NewFlagSet(os.Args[0], pflag.ContinueOnError)
	if code := cli.Code(os.Stderr, newRoot().Execute()); code != 0 {
		os.Exit(code)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "everynode",
		Short: "DaemonSets as a system of its own",
		Long: `everynode runs one Pod of a daemon on every node that should have it.

Start with "everynode up": a whole Kubernetes control plane with simulated nodes, in this process, without root,
Docker or downloads.`,
		SilenceErrors: true, // cli.Print is the one place
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\n  see: %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newUpCmd(), newEtcdCmd(), newKubectlCmd(), newVersionCmd())
	root.AddCommand(attached()...)
	return root
}
