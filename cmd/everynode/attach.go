package main

import "github.com/spf13/cobra"

// attached are the commands whose files are beside this one.
func attached() []*cobra.Command {
	return []*cobra.Command{newNodeCmd(), newControllerCmd()}
}
