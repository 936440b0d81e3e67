package cluster

import (
	"context"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DaemonName is the name of the i-th DaemonSet.
func DaemonName(i int) string { return fmt.Sprintf("daemon-%02d", i) }

// Version is the value of VersionLabel in the n-th template.
func Version(n int) string { return "v" + strconv.Itoa(n) }

// Template is what all Pods are made from: about as large as that of a log collector.
func Template(daemon, version string) corev1.PodTemplateSpec {
	grace, root := int64(30), "/"
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{DaemonLabel: daemon, VersionLabel: version}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{
				Name: "agent", Image: "registry.example/agent:" + version,
				Args: []string{"--node=$(NODE_NAME)", "--root=/host", "--interval=10s"},
				Env: []corev1.EnvVar{{Name: "NODE_NAME", ValueFrom: &corev1.EnvVarSource{
					FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"},
				}}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("20Mi"),
				}},
				VolumeMounts: []corev1.VolumeMount{{Name: "host", MountPath: "/host", ReadOnly: true}},
			}},
			Volumes: []corev1.Volume{{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: root}}}},
		},
	}
}

// Rolling is an update strategy with maxUnavailable or, if surge, maxSurge of a tenth of the nodes.
func Rolling(surge bool) appsv1.DaemonSetUpdateStrategy {
	tenth, none := intstr.FromString("10%"), intstr.FromInt32(0)
	r := &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &tenth, MaxSurge: &none}
	if surge {
		r.MaxUnavailable, r.MaxSurge = &none, &tenth
	}
	return appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: r}
}

// Create makes a DaemonSet of the first version. A selector, if any, limits it to nodes with these labels.
func (c *Cluster) Create(ctx context.Context, name string, nodeSelector map[string]string) error {
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: map[string]string{DaemonLabel: name}},
			Template:       Template(name, Version(1)),
			UpdateStrategy: Rolling(false),
		},
	}
	ds.Spec.Template.Spec.NodeSelector = nodeSelector
	_, err := c.Client.AppsV1().DaemonSets(Namespace).Create(ctx, ds, anew)
	return created("DaemonSet "+name, err)
}

// Update gives a DaemonSet the template of another version, and the strategy.
func (c *Cluster) Update(ctx context.Context, name, version string, strategy appsv1.DaemonSetUpdateStrategy) error {
	ds, err := c.Client.AppsV1().DaemonSets(Namespace).Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		ds.Spec.Template, ds.Spec.UpdateStrategy = Template(name, version), strategy
		_, err = c.Client.AppsV1().DaemonSets(Namespace).Update(ctx, ds, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("update DaemonSet %s: %w", name, err)
	}
	return nil
}

// Claim is what the status of every DaemonSet has to say before its contender is done.
type Claim struct {
	Desired, Misscheduled int
	// Ready is how many Pods are Ready, available and up to date.
	Ready int
}

// Check gives nil if each DaemonSet's status says so, and is of its present spec.
func (c *Cluster) Check(ctx context.Context, want Claim) error {
	list, err := c.Client.AppsV1().DaemonSets(Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("read the DaemonSets: %w", err)
	}
	for i := range list.Items {
		if err := claims(&list.Items[i], want); err != nil {
			return err
		}
	}
	return nil
}

func claims(ds *appsv1.DaemonSet, want Claim) error {
	s := &ds.Status
	if s.ObservedGeneration != ds.Generation {
		return fmt.Errorf("DaemonSet %s: status.observedGeneration is %d, want %d", ds.Name, s.ObservedGeneration, ds.Generation)
	}
	for _, f := range []struct {
		name string
		got  int32
		want int
	}{
		{"desiredNumberScheduled", s.DesiredNumberScheduled, want.Desired},
		{"numberMisscheduled", s.NumberMisscheduled, want.Misscheduled},
		{"numberReady", s.NumberReady, want.Ready},
		{"numberAvailable", s.NumberAvailable, want.Ready},
		{"updatedNumberScheduled", s.UpdatedNumberScheduled, want.Ready},
	} {
		if int(f.got) != f.want {
			return fmt.Errorf("DaemonSet %s: status.%s is %d, want %d", ds.Name, f.name, f.got, f.want)
		}
	}
	return nil
}

// Verify reads all Pods afresh: each DaemonSet has to have exactly one on each node, Ready and of the version given.
func (c *Cluster) Verify(ctx context.Context, versions map[string]string) error {
	nodes := c.Mirror.NodeNames()
	list, err := c.Client.CoreV1().Pods(Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("read all Pods: %w", err)
	}
	return verify(list.Items, nodes, versions)
}

func verify(pods []corev1.Pod, nodes []string, versions map[string]string) error {
	type slot struct{ daemon, node string }
	seen := map[slot]string{}
	for i := range pods {
		p := &pods[i]
		s := slot{p.Labels[DaemonLabel], p.Spec.NodeName}
		if other := seen[s]; other != "" {
			return fmt.Errorf("DaemonSet %s has two Pods on node %s: %s and %s", s.daemon, s.node, other, p.Name)
		}
		seen[s] = p.Name
		if !serving(p) {
			return fmt.Errorf("pod %s on node %s is not Ready, or being deleted", p.Name, s.node)
		}
		if got, want := p.Labels[VersionLabel], versions[s.daemon]; got != want {
			return fmt.Errorf("pod %s on node %s is of version %q, want %q", p.Name, s.node, got, want)
		}
	}
	for daemon := range versions {
		for _, node := range nodes {
			if seen[slot{daemon, node}] == "" {
				return fmt.Errorf("DaemonSet %s has no Pod on node %s", daemon, node)
			}
		}
	}
	if want := len(nodes) * len(versions); len(pods) != want {
		return fmt.Errorf("there are %d Pods, want %d", len(pods), want)
	}
	return nil
}

// Remove deletes a DaemonSet that has no Pods and waits until it is gone.
func (c *Cluster) Remove(ctx context.Context, name string) error {
	sets := c.Client.AppsV1().DaemonSets(Namespace)
	if err := sets.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete DaemonSet %s: %w", name, err)
	}
	for {
		_, err := sets.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("DaemonSet %s is not gone after its deletion: %w", name, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
