package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/simnode"
)

func newNodeRemoveCmd(connect connector) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME...",
		Short: "Remove simulated nodes",
		Long: `The Node objects are deleted and their kubelets die. As on a real cluster, the Pods stay as objects until a controller
finds that their node is gone.`,
		Example: `  everynode node remove node-003`,
		Args:    someNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return eachNode(cmd, connect, args, func(client kubernetes.Interface, node *corev1.Node) error {
				err := client.CoreV1().Nodes().Delete(cmd.Context(), node.Name, metav1.DeleteOptions{
					Preconditions: &metav1.Preconditions{UID: &node.UID},
				})
				if err != nil && !apierrors.IsNotFound(err) {
					return fmt.Errorf("removing node %q: %w", node.Name, err)
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), node.Name, "removed")
				return err
			})
		},
	}
}

// newNodeKubeletCmd is `stop` or `start`: it sets the annotation that the simulation obeys.
func newNodeKubeletCmd(connect connector, verb, state, short, long string) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " NAME...",
		Short:   short,
		Long:    long,
		Example: "  everynode node " + verb + " node-003",
		Args:    someNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
				"annotations": map[string]string{simnode.KubeletAnnotation: state},
			}})
			if err != nil {
				return fmt.Errorf("encoding the annotation: %w", err)
			}
			return eachNode(cmd, connect, args, func(client kubernetes.Interface, node *corev1.Node) error {
				if node.Annotations[simnode.KubeletAnnotation] == state {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), node.Name, "was", state, "already")
					return err
				}
				if _, err := client.CoreV1().Nodes().Patch(cmd.Context(), node.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
					return fmt.Errorf("changing node %q: %w", node.Name, err)
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), node.Name, state)
				return err
			})
		},
	}
}

func someNames(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which node? %s takes names\n  see them: everynode node list", cmd.CommandPath())
	}
	return nil
}

// eachNode checks all names before it changes the first node.
func eachNode(cmd *cobra.Command, connect connector, names []string, change func(kubernetes.Interface, *corev1.Node) error) error {
	client, err := connect()
	if err != nil {
		return err
	}
	nodes, err := simulatedNodes(cmd.Context(), client, names)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if err := change(client, node); err != nil {
			return err
		}
	}
	return nil
}
