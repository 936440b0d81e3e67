package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/command"
)

// attached are the commands whose files are beside this one.
func attached() []*cobra.Command {
	controller := command.NewController("controller", ownVersion(), false)
	run := controller.RunE
	controller.RunE = func(cmd *cobra.Command, args []string) error {
		cmd.SetContext(untilSignal(contextOf(cmd)))
		return run(cmd, args)
	}
	return []*cobra.Command{newNodeCmd(), controller}
}

// contextOf is the command's context; there is none when Execute was called without.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
