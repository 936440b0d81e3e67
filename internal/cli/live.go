package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/snapshot"
)

// controllerExtension names the part of a lab's kubeconfig that tells where its controller answers.
const controllerExtension = "everynode.dev/controller"

// LiveFlag adds --controller-url to a command.
func (c *Connection) LiveFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.controller, "controller-url", "", "where everynode's controller answers, http://HOST:PORT or unix:///PATH "+
		"(default: the lab's own, or through the API server the Pod that holds the lease); none: do not ask")
}

// noController as --controller-url asks nobody.
const noController = "none"

// AddLive asks everynode's controller, where it runs, what it knows of DaemonSets. That it cannot be reached is told on
// stderr and is no failure.
func (c *Connection) AddLive(ctx context.Context, s *snapshot.Snapshot, keys ...types.NamespacedName) error {
	if c.Offline() || c.controller == noController || len(keys) == 0 {
		return nil
	}
	door, err := c.door(ctx, s)
	if err == nil {
		err = cluster.Live(ctx, door, s, keys...)
		door.Close()
	}
	if interrupted(err) {
		return err
	}
	if err != nil {
		fmt.Fprintf(c.Streams.ErrOut, "note: live state not available: %v\n", err)
	}
	return nil
}

func (c *Connection) door(ctx context.Context, s *snapshot.Snapshot) (*cluster.Door, error) {
	if c.controller != "" {
		return cluster.AtURL(c.controller)
	}
	if address := c.labController(); address != "" {
		return cluster.AtURL(address)
	}
	client, cfg, err := c.Client()
	if err != nil {
		return nil, err
	}
	return cluster.ThroughPod(ctx, client, cfg, s)
}

// labController is where the kubeconfig says that its controller answers, or empty.
func (c *Connection) labController() string {
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return ""
	}
	name := raw.CurrentContext
	if *c.flags.Context != "" {
		name = *c.flags.Context
	}
	chosen := raw.Contexts[name]
	if chosen == nil || raw.Clusters[chosen.Cluster] == nil {
		return ""
	}
	extension, ok := raw.Clusters[chosen.Cluster].Extensions[controllerExtension].(*runtime.Unknown)
	if !ok {
		return ""
	}
	var at struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(extension.Raw, &at); err != nil {
		return "" // another program's
	}
	return at.URL
}
