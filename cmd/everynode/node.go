package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/simnode"
)

// newNodeCmd is `everynode node`: simulated nodes come, go, fall silent and return.
func newNodeCmd() *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true)
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Add, remove, stop, start and list simulated nodes",
		Long: `Simulated nodes are Node objects with the annotation ` + simnode.KubeletAnnotation + `; "everynode up" plays their kubelets.
Nodes without that annotation are real, and these commands never touch them.`,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("kubeconfig") {
				return nil
			}
			return useLab(nil)
		},
	}
	cmd.PersistentFlags().StringVar(flags.KubeConfig, "kubeconfig", "", "kubeconfig to use (default: $KUBECONFIG, then the lab's, then kubectl's)")
	cmd.PersistentFlags().StringVar(flags.Context, "context", "", "context of the kubeconfig to use")
	connect := func() (kubernetes.Interface, error) {
		cfg, err := flags.ToRESTConfig()
		if err != nil {
			return nil, fmt.Errorf("no cluster to talk to: %w\n  start one: everynode up", err)
		}
		cfg.QPS = -1
		return kubernetes.NewForConfig(cfg)
	}
	cmd.AddCommand(newNodeAddCmd(connect), newNodeListCmd(connect), newNodeRemoveCmd(connect),
		newNodeKubeletCmd(connect, "stop", simnode.Stopped,
			"Stop kubelets: the nodes fall silent",
			`Their heartbeats end and nothing that they run ever finishes. After about 50 seconds Kubernetes finds them unreachable.`),
		newNodeKubeletCmd(connect, "start", simnode.Running,
			"Start kubelets that were stopped",
			`They take up where they fell silent: heartbeats, new Pods, Pods that were deleted meanwhile.`))
	return cmd
}

// connector makes a client when a command runs, not when it is built.
type connector func() (kubernetes.Interface, error)

// simulatedNodes fetches the nodes named and refuses, before anything is changed, if one of them is not simulated.
func simulatedNodes(ctx context.Context, client kubernetes.Interface, names []string) ([]*corev1.Node, error) {
	var nodes []*corev1.Node
	for _, name := range names {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("node %q does not exist; nothing was changed\n  see which do: everynode node list", name)
		}
		if err != nil {
			return nil, fmt.Errorf("reading node %q: %w\n  is the cluster running? everynode up", name, err)
		}
		if simulated, _ := simnode.Simulated(node); !simulated {
			return nil, fmt.Errorf("node %q is not a simulated node; nothing was changed\n"+
				"  for a real node use: kubectl drain, kubectl delete node\n"+
				"  or make it simulated: kubectl annotate --overwrite node %s %s=%s",
				name, name, simnode.KubeletAnnotation, simnode.Running)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
