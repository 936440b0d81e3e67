package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/everynode/everynode/internal/simnode"
)

const (
	// readyLimit is how long a start waits for all nodes. A resumed fleet may hold nodes that were made unready.
	readyLimit    = 60 * time.Second
	resumedLimit  = 5 * time.Second
	readyInterval = 50 * time.Millisecond
)

func (l *lab) startNodes() error {
	nodes := l.fleet
	name := fmt.Sprintf("%d simulated nodes", len(nodes))
	if nodes == nil {
		name = "simulated nodes"
	}
	return l.phase(name, "the simulated nodes", func(ctx context.Context) (string, error) {
		t, err := token(ctx, l.client, simnodeUser)
		if err != nil {
			return "", err
		}
		if nodes != nil {
			if err := simnode.Register(ctx, l.client, nodes); err != nil {
				return "", err
			}
			if err := os.WriteFile(l.registeredFile(), nil, 0o600); err != nil {
				return "", dirError(l.state.dir, err)
			}
		}
		cfg := tokenConfig(l.server, l.pki.ca.certPEM, t)
		cfg.UserAgent = simnodeUser
		l.parts.stage().run("the simulated nodes", func(ctx context.Context) error {
			return simnode.Run(ctx, cfg, simnode.Options{Log: klog.Background().WithName("simnode")})
		})
		return l.waitNodes(ctx, len(nodes), nodes == nil)
	})
}

func (l *lab) registeredFile() string { return l.state.path("nodes-registered") }

// wantedNodes are those to create; nil when a resumed cluster has its own, which may have been changed since.
func (l *lab) wantedNodes() ([]corev1.Node, error) {
	if _, err := os.Stat(l.registeredFile()); err == nil && !l.o.NodesSet && l.o.NodesFile == "" {
		return nil, nil
	}
	if l.o.NodesFile == "" {
		return simnode.Default(l.o.Nodes), nil
	}
	nodes, err := simnode.Load(l.o.NodesFile)
	if err != nil {
		return nil, &Error{
			Code:  CodeBadOption,
			What:  fmt.Sprintf("--nodes-file %s cannot be used", l.o.NodesFile),
			Why:   err.Error(),
			Means: "nothing was started",
			Next:  []Fix{{"start from", "everynode kubectl get nodes -o yaml"}},
			Err:   err,
		}
	}
	return nodes, nil
}

// waitNodes waits until at least so many simulated nodes exist and all of them are Ready, and describes them.
func (l *lab) waitNodes(ctx context.Context, atLeast int, resumed bool) (string, error) {
	limit := readyLimit
	if resumed {
		limit = resumedLimit
	}
	deadline := time.Now().Add(limit)
	for {
		list, err := l.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return "", err
		}
		c := count(list.Items)
		if c.total >= atLeast && c.ready+c.stopped == c.total {
			return c.String(), nil
		}
		if time.Now().After(deadline) {
			if resumed {
				return c.String() + fmt.Sprintf(", %d not ready", c.total-c.ready-c.stopped), nil
			}
			return "", fmt.Errorf("after %s %d of %d nodes are Ready", limit, c.ready, c.total-c.stopped)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(readyInterval):
		}
	}
}

// census is what there is to say about a fleet.
type census struct {
	total, ready, stopped, tainted, cordoned int
	zones, kinds                             map[string]bool
}

func count(nodes []corev1.Node) census {
	c := census{zones: map[string]bool{}, kinds: map[string]bool{}}
	for i := range nodes {
		n := &nodes[i]
		simulated, running := simnode.Simulated(n)
		if !simulated {
			continue
		}
		c.total++
		switch {
		case !running:
			c.stopped++
		case nodeReady(n):
			c.ready++
		}
		if n.Spec.Unschedulable {
			c.cordoned++
		}
		if hasOwnTaint(n) {
			c.tainted++
		}
		if z := n.Labels[corev1.LabelTopologyZone]; z != "" {
			c.zones[z] = true
		}
		if k := n.Labels[corev1.LabelInstanceTypeStable]; k != "" {
			c.kinds[k] = true
		}
	}
	return c
}

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// hasOwnTaint leaves out the taints that Kubernetes itself sets and takes away (not-ready, unschedulable…).
func hasOwnTaint(n *corev1.Node) bool {
	for _, t := range n.Spec.Taints {
		if !strings.HasPrefix(t.Key, "node.kubernetes.io/") {
			return true
		}
	}
	return false
}

func (c census) String() string {
	parts := []string{plural(len(c.zones), "zone", "zones"), plural(len(c.kinds), "kind of hardware", "kinds of hardware")}
	if c.tainted > 0 {
		parts = append(parts, fmt.Sprintf("%d tainted", c.tainted))
	}
	if c.cordoned > 0 {
		parts = append(parts, fmt.Sprintf("%d cordoned", c.cordoned))
	}
	if c.stopped > 0 {
		parts = append(parts, fmt.Sprintf("%d stopped", c.stopped))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
