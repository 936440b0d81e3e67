package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// completeLimit is how long the shell waits for names; each is one small request.
const completeLimit = 3 * time.Second

// CompleteDaemonThenNode completes a DaemonSet's name, and after it a node's.
func (c *Connection) CompleteDaemonThenNode(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return c.CompleteDaemon(cmd, args, begun)
	case 1:
		return c.CompleteNode(cmd, args, begun)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// CompleteDaemon completes a DaemonSet's name.
func (c *Connection) CompleteDaemon(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	namespace, err := c.Namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	if c.Offline() {
		s, err := c.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []string
		for _, ds := range s.DaemonSets {
			if namespace == "" || ds.Namespace == namespace {
				names = append(names, ds.Name)
			}
		}
		return beginning(names, begun)
	}
	return c.complete(cmd, begun, "daemonsets", namespace)
}

// CompleteNode completes a node's name.
func (c *Connection) CompleteNode(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	if c.Offline() {
		s, err := c.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []string
		for i := range s.Nodes {
			names = append(names, s.Nodes[i].Name)
		}
		return beginning(names, begun)
	}
	return c.complete(cmd, begun, "nodes", "")
}

func (c *Connection) complete(cmd *cobra.Command, begun, resource, namespace string) ([]string, cobra.ShellCompDirective) {
	client, _, err := c.Client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	parent := cmd.Context()
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithTimeout(parent, completeLimit)
	defer cancel()
	var names []string
	if resource == "nodes" {
		list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
	} else {
		list, err := client.AppsV1().DaemonSets(namespace).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
	}
	return beginning(names, begun)
}

func beginning(names []string, begun string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, name := range names {
		if strings.HasPrefix(name, begun) {
			out = append(out, name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
