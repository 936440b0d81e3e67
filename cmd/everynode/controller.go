package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/command"
)

// newControllerCmd is `everynode controller`. It listens on nothing unless asked to, and needs no lease: it is run by a
// person, who knows whether there is another.
func newControllerCmd() *cobra.Command {
	cmd := command.NewController(command.Setting{Use: "controller", Version: ownVersion(), MetricsAddress: "0", ProbeAddress: "0"})
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("kubeconfig") {
			if err := useLab(nil); err != nil {
				return err
			}
		}
		cmd.SetContext(untilSignal(contextOf(cmd)))
		return run(cmd, args)
	}
	return cmd
}

// contextOf is the command's context; there is none when Execute was called without.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
