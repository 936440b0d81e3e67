package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/simnode"
)

func newNodeListCmd(connect connector) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the nodes, simulated and real",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := connect()
			if err != nil {
				return err
			}
			table, err := nodeTable(cmd.Context(), client, time.Now())
			if err != nil {
				return err
			}
			if len(table.Rows) == 0 {
				_, err := fmt.Fprintln(cmd.ErrOrStderr(), "There are no nodes.\n  add some: everynode node add 3")
				return err
			}
			return printers.NewTablePrinter(printers.PrintOptions{}).PrintObj(table, cmd.OutOrStdout())
		},
	}
}

// nodeTable makes a row of each node, in order of names as the server lists them.
func nodeTable(ctx context.Context, client kubernetes.Interface, now time.Time) (*metav1.Table, error) {
	// From the server's memory: a list of many thousand Pods costs little that way.
	cached := metav1.ListOptions{ResourceVersion: "0"}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing nodes: %w\n  is the cluster running? everynode up", err)
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, cached)
	if err != nil {
		return nil, fmt.Errorf("listing Pods: %w", err)
	}
	live := map[string]int{}
	for i := range pods.Items {
		if p := pods.Items[i].Status.Phase; p != corev1.PodFailed && p != corev1.PodSucceeded {
			live[pods.Items[i].Spec.NodeName]++
		}
	}
	table := &metav1.Table{}
	for _, name := range []string{"Name", "Status", "Kubelet", "Zone", "Hardware", "Taints", "Pods", "Age"} {
		table.ColumnDefinitions = append(table.ColumnDefinitions, metav1.TableColumnDefinition{Name: name, Type: "string"})
	}
	for i := range nodes.Items {
		n := &nodes.Items[i]
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{
			n.Name, nodeStatus(n), kubeletState(n), orNone(n.Labels[corev1.LabelTopologyZone]),
			orNone(n.Labels[simnode.HardwareLabel]), orNone(taintList(n)),
			fmt.Sprintf("%d/%s", live[n.Name], n.Status.Allocatable.Pods()),
			duration.HumanDuration(now.Sub(n.CreationTimestamp.Time)),
		}})
	}
	return table, nil
}

func nodeStatus(n *corev1.Node) string {
	status := "Unknown"
	for _, c := range n.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		switch c.Status {
		case corev1.ConditionTrue:
			status = "Ready"
		case corev1.ConditionFalse:
			status = "NotReady"
		}
	}
	if n.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	return status
}

func kubeletState(n *corev1.Node) string {
	switch simulated, running := simnode.Simulated(n); {
	case !simulated:
		return "real"
	case !running:
		return simnode.Stopped
	}
	return simnode.Running
}

func taintList(n *corev1.Node) string {
	var list []string
	for _, t := range n.Spec.Taints {
		list = append(list, t.ToString())
	}
	return strings.Join(list, ",")
}

func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}
