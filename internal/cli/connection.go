package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/everynode/everynode/internal/cluster"
	"github.com/everynode/everynode/internal/snapshot"
)

// Connection is where a command gets its facts from: kubectl's flags, or --snapshot.
type Connection struct {
	Env
	flags *genericclioptions.ConfigFlags
	// file is --snapshot, all and selector are -A and -l.
	file, selector string
	all            bool
	// controller is --controller-url.
	controller string
}

// shown are kubectl's connection flags that help lists; the others work all the same.
var shown = []string{"kubeconfig", "context", "namespace", "as", "server"}

// NewConnection makes a Connection and gives its flags to a command.
func NewConnection(env Env, cmd *cobra.Command) *Connection {
	c := &Connection{Env: env, flags: genericclioptions.NewConfigFlags(true)}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.flags.AddFlags(own)
	own.VisitAll(func(f *pflag.Flag) { f.Hidden = !slices.Contains(shown, f.Name) })
	cmd.Flags().AddFlagSet(own)
	cmd.Flags().StringVar(&c.file, "snapshot", "", "tell about this file, which \"everynode snapshot\" wrote, instead of a cluster; - is stdin")
	return c
}

// SelectFlags adds -A and -l to a command that tells about several DaemonSets.
func (c *Connection) SelectFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&c.all, "all-namespaces", "A", false, "DaemonSets of all namespaces")
	cmd.Flags().StringVarP(&c.selector, "selector", "l", "", "only DaemonSets with these labels, as kubectl takes them")
}

// Offline tells that a file is asked rather than a cluster.
func (c *Connection) Offline() bool { return c.file != "" }

// Config is how to reach the cluster.
func (c *Connection) Config() (*rest.Config, error) {
	if *c.flags.KubeConfig == "" && c.Lab != nil {
		if err := c.Lab(); err != nil {
			return nil, err
		}
	}
	cfg, err := c.flags.ToRESTConfig()
	switch {
	case err == nil && c.chose(cfg):
	case err == nil, clientcmd.IsEmptyConfig(err):
		return nil, &Error{
			What: "no cluster to ask", Why: "there is no kubeconfig", Cause: err,
			Next: []string{"name one:     --kubeconfig FILE, or export KUBECONFIG=FILE", "start a lab:  everynode up", "ask a file:   --snapshot FILE"},
		}
	case *c.flags.KubeConfig != "" && errors.Is(err, os.ErrNotExist):
		return nil, &Error{What: fmt.Sprintf("--kubeconfig=%s: there is no such file", *c.flags.KubeConfig), Next: []string{"name another, or leave the flag out to use $KUBECONFIG"}, Cause: err}
	default:
		return nil, &Error{What: "the kubeconfig cannot be used", Why: err.Error(), Next: []string{"choose another: --kubeconfig FILE, or --context NAME"}, Cause: err}
	}
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	cfg.UserAgent = "everynode-cli"
	cfg.QPS = -1 // a person waits; pages bound the load
	return cfg, nil
}

// chose tells whether anybody named a cluster. Without, kubectl's loader gives a port of this machine, for old times' sake.
func (c *Connection) chose(cfg *rest.Config) bool {
	if *c.flags.APIServer != "" || !strings.Contains(cfg.Host, "localhost:8080") {
		return true
	}
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	return err == nil && len(raw.Clusters) > 0
}

// Client is a client of the cluster.
func (c *Connection) Client() (kubernetes.Interface, *rest.Config, error) {
	cfg, err := c.Config()
	if err != nil {
		return nil, nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	return client, cfg, err
}

// Namespace is what -n, or else the kubeconfig, or else a file that holds DaemonSets of one namespace only, says. Empty
// stands for all of them, with -A.
func (c *Connection) Namespace() (string, error) {
	switch {
	case c.all:
		return "", nil
	case *c.flags.Namespace != "":
		return *c.flags.Namespace, nil
	case c.Offline():
		return "", nil
	}
	if *c.flags.KubeConfig == "" && c.Lab != nil {
		if err := c.Lab(); err != nil {
			return "", err
		}
	}
	namespace, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}

// Selector is -l.
func (c *Connection) Selector() (labels.Selector, error) {
	s, err := labels.Parse(c.selector)
	if err != nil {
		return nil, &Error{What: fmt.Sprintf("--selector=%s cannot be read", c.selector), Why: err.Error(), Next: []string{"for instance: -l app=node-exporter,tier!=test"}}
	}
	return s, nil
}

// World reads the cluster, or the file, as it is now, or was then. What could not be read is told on stderr.
func (c *Connection) World(ctx context.Context, scope cluster.Scope) (*snapshot.World, error) {
	s, err := c.read(ctx, scope)
	if err != nil {
		return nil, err
	}
	c.TellMissing(s)
	return s.World(s.Taken)
}

func (c *Connection) read(ctx context.Context, scope cluster.Scope) (*snapshot.Snapshot, error) {
	if c.Offline() {
		return c.open()
	}
	client, cfg, err := c.Client()
	if err != nil {
		return nil, err
	}
	s, err := cluster.Read(ctx, client, scope)
	if err != nil {
		return nil, unreadable(err, cfg.Host, scope)
	}
	return s, nil
}

func (c *Connection) open() (*snapshot.Snapshot, error) {
	in := c.Streams.In
	if c.file != "-" {
		f, err := os.Open(c.file)
		if err != nil {
			return nil, &Error{What: fmt.Sprintf("--snapshot=%s cannot be opened", c.file), Why: err.Error(), Next: []string{"make one: " + c.Program + " snapshot > FILE"}, Cause: err}
		}
		defer f.Close()
		in = f
	}
	s, err := snapshot.Read(in)
	if err != nil {
		return nil, &Error{What: fmt.Sprintf("--snapshot=%s cannot be read", c.file), Why: err.Error(), Next: []string{"make a new one: " + c.Program + " snapshot > FILE"}, Cause: err}
	}
	return s, nil
}

// unreadable says of a cluster that gave nothing what to do about it.
func unreadable(err error, host string, scope cluster.Scope) error {
	switch {
	case interrupted(err):
		return err
	case apierrors.IsForbidden(err):
		next := "ask for the right to list daemonsets.apps in all namespaces, or name one that you may read: -n NAMESPACE"
		if scope.Namespace != "" {
			next = "ask for the right to list daemonsets.apps in namespace " + scope.Namespace + ", or name another: -n NAMESPACE"
		}
		return &Error{What: "DaemonSets may not be read", Why: err.Error(), Next: []string{next}, Cause: err}
	case apierrors.IsUnauthorized(err):
		return &Error{What: "the API server at " + host + " does not accept the credentials", Why: err.Error(), Next: []string{"look at the user in the kubeconfig; a token may have run out"}, Cause: err}
	}
	return &Error{
		What: "the cluster at " + host + " does not answer", Why: err.Error(), Cause: err,
		Next: []string{"is it running, and is this the right kubeconfig?", "choose:       --kubeconfig FILE, --context NAME", "start a lab:  everynode up"},
	}
}

// TellMissing says on stderr what may not be read, and what cannot be told without it.
func (c *Connection) TellMissing(s *snapshot.Snapshot) {
	for _, m := range s.Missing {
		where := "all namespaces"
		if m.Namespace != "" {
			where = "namespace " + m.Namespace
		}
		fmt.Fprintf(c.Streams.ErrOut, "note: may not %s %s in %s; not known: %s\n", m.Verb, m.Resource, where, m.Effect)
	}
}
