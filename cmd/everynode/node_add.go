package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/simnode"
)

func newNodeAddCmd(connect connector) *cobra.Command {
	t := simnode.Template{Capacity: map[string]string{}}
	sizes := map[string]*string{"cpu": new(string), "memory": new(string), "pods": new(string)}
	cmd := &cobra.Command{
		Use:   "add [N]",
		Short: "Add N simulated nodes (default 1) and print their names",
		Long: `The names continue after the highest number in use. Zones take turns unless --zone is given.
The nodes are Ready at once; their kubelets are played by "everynode up".`,
		Example: `  everynode node add 3
  everynode node add --zone local-c --hardware storage --taint dedicated=ceph:NoSchedule
  everynode node add 2 --label disk=ssd --cpu 500m`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n := 1
			if len(args) == 1 {
				var err error
				if n, err = strconv.Atoi(args[0]); err != nil {
					return fmt.Errorf("%q is not a number of nodes\n  for example: everynode node add 3", args[0])
				}
			}
			for name, value := range sizes {
				if *value != "" {
					t.Capacity[name] = *value
				}
			}
			return addNodes(cmd, connect, n, t)
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.Zone, "zone", "", "zone of the nodes (label topology.kubernetes.io/zone)")
	f.StringVar(&t.Hardware, "hardware", "", "kind of hardware: general (4 CPU, 16Gi) or storage (16 CPU, 64Gi, NVMe) (default general)")
	f.StringVar(&t.Prefix, "prefix", "", "beginning of the names (default node-)")
	f.StringToStringVar(&t.Labels, "label", nil, "label key=value; may be repeated")
	f.StringToStringVar(&t.Annotations, "annotation", nil, "annotation key=value, for example a fault; may be repeated")
	f.StringArrayVar(&t.Taints, "taint", nil, "taint key=value:Effect; may be repeated")
	f.StringVar(sizes["cpu"], "cpu", "", "CPUs, for example 2 or 500m")
	f.StringVar(sizes["memory"], "memory", "", "memory, for example 8Gi")
	f.StringVar(sizes["pods"], "pods", "", "how many Pods fit")
	f.BoolVar(&t.Unschedulable, "unschedulable", false, "cordon the nodes")
	return cmd
}

func addNodes(cmd *cobra.Command, connect connector, n int, t simnode.Template) error {
	client, err := connect()
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Nodes().List(cmd.Context(), metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing nodes: %w\n  is the cluster running? everynode up", err)
	}
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].Name
	}
	nodes, err := t.Nodes(n, names)
	if err != nil {
		return err
	}
	if err := simnode.Register(cmd.Context(), client, nodes); err != nil {
		return err
	}
	for i := range nodes {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), nodes[i].Name); err != nil {
			return err
		}
	}
	return nil
}
