package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() {
	// Packages of Kubernetes register flags for their own commands there, and cobra would offer them as ours.
	pflag.CommandLine = pflag.NewFlagSet(os.Args[0], pflag.ContinueOnError)
	if err := newRoot().Execute(); err != nil {
		printError(os.Stderr, err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "everynode",
		Short: "DaemonSets as a system of its own",
		Long: `everynode runs one Pod of a daemon on every node that should have it.

Start with "everynode up": a whole Kubernetes control plane with simulated nodes, in this process, without root,
Docker or downloads.`,
		SilenceErrors: true, // printError is the one place
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\n  see: %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newUpCmd(), newEtcdCmd(), newKubectlCmd(), newVersionCmd())
	root.AddCommand(attached()...)
	return root
}

// printError prints an error once. Errors made for people bring their own text.
func printError(w io.Writer, err error) {
	var told interface{ Text() string }
	text := "error: " + strings.TrimPrefix(err.Error(), "error: ")
	if errors.As(err, &told) {
		text = told.Text()
	}
	// If stderr is gone, the exit code is all that is left to say it.
	_, _ = fmt.Fprintln(w, text)
}
