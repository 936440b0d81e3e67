package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// fault is one kind of what the chaos does. It tells what it did, or that there was nothing to do it to.
type fault struct {
	name string
	do   func(ctx context.Context, c *chaos, r *rand.Rand) (what string, err error)
}

// faults are dealt like cards: each kind once before any kind again.
var faults = []fault{
	{"leader killed", killLeader},
	{"leader frozen", freezeLeader},
	{"replica killed", killReplica},
	{"API server killed", func(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
		return c.endServer(ctx, r, syscall.SIGKILL)
	}},
	{"API server stopped", func(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
		return c.endServer(ctx, r, syscall.SIGTERM)
	}},
	{"etcd killed", killEtcd},
	{"Pods deleted", deletePods},
	{"node re-created", replaceNode},
}

// chaos deals faults to a world.
type chaos struct {
	*world
	seed   uint64
	dealt  map[string]int
	frozen sync.WaitGroup
	iced   [2]bool // by replica; only the dealing goroutine and, once it has thawed, its freezer write it
	mu     sync.Mutex
}

// run deals faults until the time is over. What the n-th one is and does depends on the seed alone.
func (c *chaos) run(ctx context.Context, until time.Time) error {
	order := rand.New(rand.NewPCG(c.seed, 0))
	var deck []int
	for n := uint64(1); time.Now().Before(until); n++ {
		if len(deck) == 0 {
			deck = order.Perm(len(faults))
		}
		f := faults[deck[0]]
		deck = deck[1:]
		r := rand.New(rand.NewPCG(c.seed, n))
		if err := pause(ctx, between(r, 2*time.Second, 5*time.Second)); err != nil {
			return err
		}
		what, err := f.do(ctx, c, r)
		if err != nil {
			return fmt.Errorf("fault %d, %s: %w", n, f.name, err)
		}
		c.dealt[f.name]++
		c.tell("fault %2d  %-18s %s", n, f.name, what)
	}
	c.frozen.Wait()
	return nil
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}

// leaderLimit is how long a fault waits for a leader to hit: a lease runs out in 15 seconds.
const leaderLimit = 25 * time.Second

// victim is the leader, or when nobody comes to lead the one that chance names.
func (c *chaos) victim(ctx context.Context, r *rand.Rand) (int, string) {
	other := r.IntN(2)
	for end := time.Now().Add(leaderLimit); time.Now().Before(end) && pause(ctx, retryEvery) == nil; {
		if i := c.leader(); i >= 0 {
			// It gets the time to begin: a leader that has done nothing yet leaves nothing half done.
			_ = pause(ctx, between(r, 0, 2*time.Second))
			return i, c.replicas[i].name
		}
	}
	return other, c.replicas[other].name + "; nobody leads"
}

func killLeader(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
	i, name := c.victim(ctx, r)
	return name, c.replicas[i].end(syscall.SIGKILL, between(r, 0, 3*time.Second))
}

func killReplica(_ context.Context, c *chaos, r *rand.Rand) (string, error) {
	i := r.IntN(2)
	role := "standing by"
	if c.leader() == i {
		role = "leading"
	}
	return c.replicas[i].name + ", " + role, c.replicas[i].end(syscall.SIGKILL, between(r, 0, 3*time.Second))
}

// freezeLeader stops a process for longer than its lease; other faults go on meanwhile.
func freezeLeader(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
	i, name := c.victim(ctx, r)
	long := between(r, 17*time.Second, 22*time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.iced[i] {
		return name + " is frozen already", nil
	}
	p := c.replicas[i].running()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return "", err
	}
	c.iced[i] = true
	c.frozen.Go(func() {
		_ = pause(ctx, long) // at the end it must thaw too
		err := thaw(p)
		c.mu.Lock()
		c.iced[i] = false
		c.mu.Unlock()
		c.tell("          %s thaws after %.1fs%s", c.replicas[i].name, long.Seconds(), sayError(err))
	})
	return fmt.Sprintf("%s for %.1fs", name, long.Seconds()), nil
}

// endServer ends the process of the API server, the other controllers and the kubelets, and waits until it serves again.
func (c *chaos) endServer(ctx context.Context, r *rand.Rand, sig syscall.Signal) (string, error) {
	begun, lives := time.Now(), c.server.lives()
	if err := c.server.end(sig, between(r, 0, 2*time.Second)); err != nil {
		return "", err
	}
	// The next life removes the file before it starts; until then the old one may still be there.
	for c.server.lives() == lives {
		if err := pause(ctx, retryEvery); err != nil {
			return "", err
		}
	}
	err := c.serving(ctx)
	return fmt.Sprintf("serves again after %.1fs", time.Since(begun).Seconds()), err
}

func killEtcd(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
	begun := time.Now()
	if err := c.etcd.end(syscall.SIGKILL, between(r, 0, 2*time.Second)); err != nil {
		return "", err
	}
	err := insist(ctx, func() error { _, err := c.recorder.revision(ctx); return err })
	return fmt.Sprintf("serves again after %.1fs", time.Since(begun).Seconds()), err
}

// deletePods is what somebody with too many rights does: some gracefully, some at once.
func deletePods(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
	n, force := 5+r.IntN(16), r.IntN(2) == 0
	options := metav1.DeleteOptions{}
	how := "gracefully"
	if force {
		options.GracePeriodSeconds, how = ptr.To(int64(0)), "at once"
	}
	pods, err := c.daemonPods(ctx)
	if err != nil {
		return "", err
	}
	r.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
	pods = pods[:min(n, len(pods))]
	for i := range pods {
		p := &pods[i]
		c.judge.willDisturb(p.UID)
		options.Preconditions = &metav1.Preconditions{UID: &p.UID}
		if err := insist(ctx, func() error {
			err := c.client.CoreV1().Pods(namespace).Delete(ctx, p.Name, options)
			if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
				return nil // a rollout was faster
			}
			return err
		}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d, %s", len(pods), how), nil
}

// replaceNode takes a node away and brings another one of the same name, as after a reinstallation.
func replaceNode(ctx context.Context, c *chaos, r *rand.Rand) (string, error) {
	name, away := fmt.Sprintf("node-%03d", 1+r.IntN(c.nodes)), between(r, 0, 5*time.Second)
	var old *corev1.Node
	if err := insist(ctx, func() (err error) {
		old, err = c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		return err
	}); err != nil {
		return "", err
	}
	if err := insist(ctx, func() error {
		err := c.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil // by a request whose answer was lost
		}
		return err
	}); err != nil {
		return "", err
	}
	if err := pause(ctx, away); err != nil {
		return "", err
	}
	again := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: old.Labels, Annotations: old.Annotations},
		Spec:       corev1.NodeSpec{Unschedulable: old.Spec.Unschedulable},
	}
	err := insist(ctx, func() error {
		_, err := c.client.CoreV1().Nodes().Create(ctx, again, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
	return fmt.Sprintf("%s, away for %.1fs", name, away.Seconds()), err
}
