package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// NewPlugin makes the root of kubectl's plugin: all commands of this package and nothing else.
func NewPlugin(version string) *cobra.Command {
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
	root.AddCommand(Commands(NewEnv("kubectl everynode", nil))...)
	return root
}
