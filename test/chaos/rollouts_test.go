package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// percent is what a rollout may take at a time.
const percent = 10

// The two DaemonSets: one replaces Pods in place, one puts the new Pod beside the old one.
var names = []string{"replacing", "surging"}

func newDaemon(name string) *appsv1.DaemonSet {
	share := ptr.To(intstr.FromString(fmt.Sprintf("%d%%", percent)))
	rolling := &appsv1.RollingUpdateDaemonSet{MaxUnavailable: share}
	if name == "surging" {
		rolling = &appsv1.RollingUpdateDaemonSet{MaxSurge: share, MaxUnavailable: ptr.To(intstr.FromInt32(0))}
	}
	labels := map[string]string{"app": name}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: labels},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: rolling},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"sim.everynode.dev/ready-after": "500ms"}},
				Spec: corev1.PodSpec{
					Containers:  []corev1.Container{{Name: "c", Image: image(1)}},
					Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
				},
			},
		},
	}
}

// image names a version of the template. They only ever rise, so that each template is new.
func image(version int) string { return fmt.Sprintf("example.test/daemon:v%d", version) }

// createDaemons makes the namespace and the DaemonSets in it.
func (w *world) createDaemons(ctx context.Context) error {
	if _, err := w.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	// No Pod is admitted without the account that a controller makes.
	if err := insist(ctx, func() error {
		_, err := w.client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err
	}); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := w.client.AppsV1().DaemonSets(namespace).Create(ctx, newDaemon(name), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// rollOut changes templates again and again, also in the middle of a rollout, until the time is over.
func (c *chaos) rollOut(ctx context.Context, until time.Time) (changes int, err error) {
	r := rand.New(rand.NewPCG(c.seed, 1<<32))
	for version := 2; time.Now().Before(until); version++ {
		name := names[r.IntN(len(names))]
		patch := fmt.Appendf(nil, `{"spec":{"template":{"spec":{"containers":[{"name":"c","image":%q}]}}}}`, image(version))
		if err := insist(ctx, func() error {
			_, err := c.client.AppsV1().DaemonSets(namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}); err != nil {
			return changes, err
		}
		changes++
		c.tell("          %s becomes v%d", name, version)
		if err := pause(ctx, between(r, 4*time.Second, 16*time.Second)); err != nil {
			return changes, err
		}
	}
	return changes, nil
}
