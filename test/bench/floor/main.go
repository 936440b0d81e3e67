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

// creators is how many creates are under way at a time.
const creators = 32

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

func run(ctx context.Context, client kubernetes.Interface, daemons int) error {
	nodes, err := nodeNames(ctx, client)
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	ready := make(chan string, 1024)
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go watch(watching, client, ready)
	failed := make(chan error, 1)
	var creating sync.WaitGroup
	creating.Go(func() {
		if err := create(ctx, client, daemons, nodes); err != nil {
			failed <- err
		}
	})
	defer creating.Wait()
	seen := map[string]bool{}
	for len(seen) < daemons*len(nodes) {
		select {
		case err := <-failed:
			return err
		case name := <-ready:
			seen[name] = true
		}
	}
	fmt.Printf("%d Pods are Ready\n", len(seen))
	<-ctx.Done()
	return nil
}

// watch tells of Pods that are Ready, over watches that end early too. It keeps nothing of a Pod but its name.
func watch(ctx context.Context, client kubernetes.Interface, ready chan<- string) {
	tell := func(o any) {
		if pod, ok := o.(*corev1.Pod); ok && isReady(pod) {
			select {
			case ready <- pod.Name:
			case <-ctx.Done():
			}
		}
	}
	pods := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "pods", cluster.Namespace, fields.Everything())
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(pods, client),
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
		Handler: cache.ResourceEventHandlerFuncs{AddFunc: tell, UpdateFunc: func(_, o any) { tell(o) }},
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

// create makes one DaemonSet's Pods after the other's.
func create(ctx context.Context, client kubernetes.Interface, daemons int, nodes []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range daemons {
		name := cluster.DaemonName(i)
		for _, node := range nodes {
			group.Go(func() error {
				template := cluster.Template(name, cluster.Version(1))
				pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
				pod.Name, pod.Spec.NodeName = name+"-"+node, node
				if _, err := client.CoreV1().Pods(cluster.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
					return fmt.Errorf("create Pod %s: %w", pod.Name, err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
