package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/everynode/everynode/test/bench/cluster"
)

// callsAtATime is how many calls are under way at a time.
const callsAtATime = 32

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx)
	told := ctx.Err() != nil
	stop()
	if err != nil && !told {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context) error {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the cluster")
	daemons := flag.Int("daemons", 1, "how many DaemonSets")
	qps := flag.Float64("kube-api-qps", -1, "bound on API requests a second")
	burst := flag.Int("kube-api-burst", 0, "how far that may be exceeded for a moment")
	flag.Parse()
	cfg, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = float32(*qps), *burst
	cfg.ContentType = runtime.ContentTypeProtobuf
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	return run(ctx, client, *daemons)
}

// floor does what has to be done, and decides nothing.
type floor struct {
	client  kubernetes.Interface
	daemons int
	nodes   []string
	board   *board
	calls   chan struct{} // one for each call that is under way
}

// run makes all Pods, and with each SIGHUP replaces them by those of the next version.
func run(ctx context.Context, client kubernetes.Interface, daemons int) error {
	roll := make(chan os.Signal, 1)
	signal.Notify(roll, syscall.SIGHUP)
	nodes, err := nodeNames(ctx, client)
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	f := &floor{client: client, daemons: daemons, nodes: nodes, board: newBoard(), calls: make(chan struct{}, callsAtATime)}
	watching, stopWatching := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { f.watch(watching) })
	defer running.Wait()
	defer stopWatching()
	if err := f.first(ctx); err != nil {
		return err
	}
	fmt.Printf("%d Pods are Ready\n", daemons*len(nodes))
	for version := 2; ; version++ {
		select {
		case <-ctx.Done():
			return nil
		case <-roll:
		}
		if err := f.roll(ctx, cluster.Version(version)); err != nil {
			return err
		}
		fmt.Printf("%d Pods are replaced\n", daemons*len(nodes))
	}
}

// watch tells of Pods that are Ready or gone, over watches that end early too. It keeps little more of a Pod than its name.
func (f *floor) watch(ctx context.Context) {
	come := func(o any) {
		if pod, ok := o.(*corev1.Pod); ok && isReady(pod) {
			f.board.tell(f.board.ready, pod.Name)
		}
	}
	gone := func(o any) {
		if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
			o = last.Obj
		}
		if pod, ok := o.(*corev1.Pod); ok {
			f.board.tell(f.board.gone, pod.Name)
		}
	}
	pods := cache.NewListWatchFromClient(f.client.CoreV1().RESTClient(), "pods", cluster.Namespace, fields.Everything())
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(pods, f.client),
		ObjectType:    &corev1.Pod{},
		Transform: func(o any) (any, error) {
			if pod, ok := o.(*corev1.Pod); ok {
				o = &corev1.Pod{
					ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, ResourceVersion: pod.ResourceVersion},
					Status:     corev1.PodStatus{Conditions: pod.Status.Conditions},
				}
			}
			return o, nil
		},
		Handler: cache.ResourceEventHandlerFuncs{AddFunc: come, UpdateFunc: func(_, o any) { come(o) }, DeleteFunc: gone},
	})
	informer.RunWithContext(ctx)
}

func nodeNames(ctx context.Context, client kubernetes.Interface) ([]string, error) {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].Name
	}
	return names, nil
}

// first makes one DaemonSet's Pods after the other's, and waits until all are Ready.
func (f *floor) first(ctx context.Context) error {
	group, calling := errgroup.WithContext(ctx)
	var ready []<-chan struct{}
	for i := range f.daemons {
		for _, node := range f.nodes {
			ready = append(ready, f.board.await(f.board.ready, podName(cluster.DaemonName(i), node)))
		}
	}
	group.SetLimit(callsAtATime)
	for i := range f.daemons {
		for _, node := range f.nodes {
			group.Go(func() error { return f.create(calling, cluster.DaemonName(i), node, cluster.Version(1)) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, told := range ready {
		if err := wait(ctx, told); err != nil {
			return err
		}
	}
	return nil
}

func podName(daemon, node string) string { return daemon + "-" + node }

func (f *floor) create(ctx context.Context, daemon, node, version string) error {
	template := cluster.Template(daemon, version)
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name, pod.Spec.NodeName = podName(daemon, node), node
	err := f.call(ctx, func() error {
		_, err := f.client.CoreV1().Pods(cluster.Namespace).Create(ctx, pod, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create Pod %s: %w", pod.Name, err)
	}
	return nil
}

// call makes a call once it may.
func (f *floor) call(ctx context.Context, do func() error) error {
	select {
	case f.calls <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.calls }()
	return do()
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
