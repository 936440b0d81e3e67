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
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/everynode/everynode/test/bench/cluster"
)

// creators is how many creates are under way at a time.
const creators = 32

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kubeconfig := flag.String("kubeconfig", "", "how to reach the cluster")
	daemons := flag.Int("daemons", 1, "how many DaemonSets")
	qps := flag.Float64("kube-api-qps", -1, "bound on API requests a second")
	burst := flag.Int("kube-api-burst", 0, "how far that may be exceeded for a moment")
	flag.Parse()
	cfg, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err == nil {
		cfg.QPS, cfg.Burst = float32(*qps), *burst
		cfg.ContentType = runtime.ContentTypeProtobuf
		cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
		var client *kubernetes.Clientset
		if client, err = kubernetes.NewForConfig(cfg); err == nil {
			err = run(ctx, client, *daemons)
		}
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func run(ctx context.Context, client kubernetes.Interface, daemons int) error {
	nodes, err := nodeNames(ctx, client)
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	watch, err := client.CoreV1().Pods(cluster.Namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("watch Pods: %w", err)
	}
	defer watch.Stop()
	var creating sync.WaitGroup
	failed := make(chan error, 1)
	creating.Go(func() {
		if err := create(ctx, client, daemons, nodes); err != nil {
			failed <- err
		}
	})
	defer creating.Wait()
	ready := map[string]bool{}
	for len(ready) < daemons*len(nodes) {
		select {
		case err := <-failed:
			return err
		case e, ok := <-watch.ResultChan():
			if !ok {
				return fmt.Errorf("the watch of Pods ended with %d of %d Ready", len(ready), daemons*len(nodes))
			}
			if pod, ok := e.Object.(*corev1.Pod); ok && isReady(pod) {
				ready[pod.Name] = true
			}
		}
	}
	fmt.Printf("%d Pods are Ready\n", len(ready))
	<-ctx.Done()
	return nil
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
