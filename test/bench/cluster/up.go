package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/everynode/everynode/internal/simnode"
	"github.com/everynode/everynode/test/harness"
)

const (
	startLimit = 3 * time.Minute
	// nodeLimit is how long one node may take to become Ready, on average.
	nodeLimit = 60 * time.Millisecond
)

// Cluster is one control plane with its nodes.
type Cluster struct {
	// Client is the benchmark's own, an administrator.
	Client kubernetes.Interface
	// Config is how to reach the cluster as Client does.
	Config *rest.Config
	// Mirror follows the API server.
	Mirror *Mirror
	// Audit tells what the contenders have asked for.
	Audit *Audit
	// PID is the process of the control plane: API server, etcd, the other controllers and the simulated nodes.
	PID int

	dir  string
	up   *harness.Process
	stop context.CancelFunc
}

// Start brings up a control plane with so many Ready nodes and nobody who looks after DaemonSets.
func Start(ctx context.Context, binary string, nodes int) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &Cluster{dir: dir, stop: stop, Audit: &Audit{path: filepath.Join(dir, "audit.log")}}
	if err := c.start(ctx, life, binary, nodes); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx, life context.Context, binary string, nodes int) error {
	policy := filepath.Join(c.dir, "audit.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy()), 0o600); err != nil {
		return err
	}
	admin := filepath.Join(c.dir, "admin.kubeconfig")
	up, err := harness.Launch(binary, []string{"HOME=" + c.dir, "TMPDIR=" + c.dir, "KUBECONFIG=", "NO_COLOR=1"},
		"up", "--controller=false", "--nodes=0", "--kubeconfig="+admin,
		"--kube-apiserver-arg=audit-policy-file="+policy,
		"--kube-apiserver-arg=audit-log-path="+c.Audit.path,
		"--kube-apiserver-arg=audit-log-maxsize=100000",
		// Nodes are created Ready; thousands of taints that the other controllers have to take off first say nothing of a
		// contender.
		"--kube-apiserver-arg=disable-admission-plugins=TaintNodesByCondition",
		// Large rollouts write more in five minutes than etcd's quota holds.
		"--kube-apiserver-arg=etcd-compaction-interval=1m")
	if err != nil {
		return err
	}
	c.up, c.PID = up, up.PID()
	if err := c.await(ctx, admin); err != nil {
		return fmt.Errorf("the control plane did not start: %w\n%s", err, up.Output())
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if c.Mirror, err = newMirror(ctx, life, c.Client); err != nil {
		return err
	}
	if err := c.Join(ctx, nodes); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, startLimit+time.Duration(nodes)*nodeLimit)
	defer cancel()
	if _, err := c.Mirror.Wait(limited, func(v View) bool { return v.ReadyNodes() == nodes && v.TaintedNodes() == 0 }); err != nil {
		return fmt.Errorf("%d nodes did not become Ready: %w", nodes, err)
	}
	return nil
}

// await waits for the kubeconfig, which is written when everything is ready.
func (c *Cluster) await(ctx context.Context, kubeconfig string) error {
	limit := time.After(startLimit)
	for {
		if _, err := os.Stat(kubeconfig); err == nil {
			break
		}
		select {
		case <-c.up.Exited():
			return errors.New("it ended")
		case <-limit:
			return fmt.Errorf("it was not ready after %s", startLimit)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.UserAgent = -1, "everynode-bench"
	cfg.ContentType = runtime.ContentTypeProtobuf
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	c.Config = cfg
	c.Client, err = kubernetes.NewForConfig(cfg)
	return err
}

// Join adds nodes, named on from those that exist, and does not wait for them.
func (c *Cluster) Join(ctx context.Context, n int) error {
	list, err := simnode.Template{}.Nodes(n, c.Mirror.NodeNames())
	if err != nil {
		return err
	}
	return simnode.Register(ctx, c.Client, list)
}

// Alive is an error once the control plane has ended.
func (c *Cluster) Alive() error {
	select {
	case <-c.up.Exited():
		return fmt.Errorf("the control plane ended:\n%s", c.up.Output())
	default:
		return nil
	}
}

// Stop ends the control plane and removes all that it has left.
func (c *Cluster) Stop() error {
	c.stop()
	var err error
	if c.up != nil {
		_, err = c.up.Stop(syscall.SIGTERM)
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// File is a path in the cluster's own directory, which goes when the cluster stops.
func (c *Cluster) File(name string) string { return filepath.Join(c.dir, name) }

// created tells whether a create succeeded, now or before.
func created(what string, err error) error {
	if err == nil || isThere(err) {
		return nil
	}
	return fmt.Errorf("create %s: %w", what, err)
}

var anew = metav1.CreateOptions{}
