package cli

import (
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/snapshot"
)

// NewSnapshot is `everynode snapshot`.
func NewSnapshot(env Env) *cobra.Command {
	redact := false
	cmd := &cobra.Command{
		Use:   "snapshot > FILE",
		Short: "Write what there is to know about daemons in a cluster to a file",
		Long: `Reads nodes, Pods, DaemonSets, their revisions and events, and writes them as JSON lines to stdout. Every command
that tells about a cluster takes the file in its place, with --snapshot FILE, on any machine and at any time.

Secrets and ConfigMaps are never read. Templates are kept whole, and with them the environment that they set: use
--redact before you give a file away. It leaves numbers, times, UIDs, and the plain words of messages.`,
		Args: cobra.NoArgs,
	}
	c := NewConnection(env, cmd)
	c.LiveFlag(cmd)
	cmd.Flags().BoolVar(&redact, "redact", false, "replace names, labels, images, commands and environment, the same by the same")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := c.read(cmd.Context(), cluster.Scope{Quotas: true})
		if err != nil {
			return err
		}
		c.TellMissing(s)
		var keys []types.NamespacedName
		for _, ds := range s.DaemonSets {
			keys = append(keys, types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name})
		}
		if err := c.AddLive(cmd.Context(), s, keys...); err != nil {
			return err
		}
		if redact {
			if s, err = snapshot.Redact(s); err != nil {
				return err
			}
		}
		return snapshot.Write(env.Streams.Out, s)
	}
	return cmd
}
