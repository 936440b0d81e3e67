package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/everynode/everynode/internal/lab"
)

// newEtcdCmd is `everynode etcd`: the store of `up` as a process of its own, so that either can be killed without the other.
func newEtcdCmd() *cobra.Command {
	o := lab.EtcdOptions{}
	cmd := &cobra.Command{
		Use:   "etcd",
		Short: "Run the etcd of up alone, for development",
		Long: `Runs one etcd on a private socket in the data directory and prints its address. A control plane that uses it:

  everynode etcd --data-dir /tmp/etcd
  everynode up --etcd-servers unix:///tmp/etcd/run/client.sock --data-dir /tmp/up

Either can be killed and started again on the same directory. Who may enter the directory may read and change everything.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = os.Stderr
			o.Program = program()
			return lab.Etcd(untilSignal(contextOf(cmd)), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.DataDir, "data-dir", "", "keep the data in this directory and resume it (default: temporary, removed at the end)")
	f.BoolVarP(&o.Verbose, "verbose", "v", false, "show its log")
	return cmd
}
