package main

import (
	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/cli"
)

// attached are the commands whose files are beside this one, and those that the kubectl plugin has too.
func attached() []*cobra.Command {
	lab := func() error { return useLab(nil) }
	return append([]*cobra.Command{newNodeCmd(), newControllerCmd()}, cli.Commands(cli.NewEnv("everynode", lab))...)
}
