package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/cli"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if code := cli.Code(os.Stderr, err); code != 0 {
		os.Exit(code)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "kubectl-everynode",
		Short:         "What daemons do in a cluster, and why",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl everynode"},
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\n  see: %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(cli.Commands(cli.NewEnv("kubectl everynode", nil))...)
	return root
}
