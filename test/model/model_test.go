package model

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/test/harness"
)

var (
	seedFlag = flag.Uint64("model-seed", 1, "what the sequences are made from")
	opsFlag  = flag.Int("model-ops", 1600, "how many operations, in all sequences together")
	onlyFlag = flag.Int("model-only", -1, "play only this sequence, and print it")
)

const (
	perSequence = 40
	// enough differences are shown at once; the others are mostly the same.
	enough = 3
)

// TestModel plays the same random sequences to the model and to a real API server.
func TestModel(t *testing.T) {
	lab := harness.Up(t, "--controller=false", "--simulate=false")
	client := quiet(t, lab)
	freeze(t, client)
	t.Logf("-model-seed %d -model-ops %d", *seedFlag, *opsFlag)
	begin := time.Now()
	var all tally
	found := 0
	for i := range max(1, *opsFlag/perSequence) {
		if *onlyFlag >= 0 && i != *onlyFlag {
			continue
		}
		r := newRun(t, client, *seedFlag, i)
		r.play(perSequence)
		all.add(r.tally)
		if *onlyFlag >= 0 {
			t.Logf("sequence %d:\n%s", i, strings.Join(r.log, "\n"))
		}
		if len(r.differences) == 0 {
			continue
		}
		t.Errorf("sequence %d differs; again: -model-seed %d -model-only %d\n%s\n\n%s", i, *seedFlag, i,
			strings.Join(r.log, "\n"), strings.Join(r.differences, "\n"))
		if found++; found == enough {
			break
		}
	}
	t.Logf("%v in %v", all, time.Since(begin).Round(time.Second))
}

// tally counts what was done.
type tally struct{ ops, refused, objects, errors, events, lists, dropped int }

func (a *tally) add(b tally) {
	a.ops += b.ops
	a.refused += b.refused
	a.objects += b.objects
	a.errors += b.errors
	a.events += b.events
	a.lists += b.lists
	a.dropped += b.dropped
}

func (a tally) String() string {
	return fmt.Sprintf("%d operations, of which %d were refused; compared: %d answers, %d objects, %d events, %d lists; %d sequences ended early",
		a.ops, a.refused, a.errors, a.objects, a.events, a.lists, a.dropped)
}

// freeze takes all rights from the controllers of the control plane, and waits until they have none.
func freeze(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	bindings := client.RbacV1().ClusterRoleBindings()
	list, err := bindings.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list.Items {
		if strings.HasPrefix(b.Name, "system:controller:") || b.Name == "system:kube-controller-manager" {
			if err := bindings.Delete(t.Context(), b.Name, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, account := range []string{"generic-garbage-collector", "pod-garbage-collector", "namespace-controller", "node-controller", "ttl-controller", "resourcequota-controller"} {
		harness.Eventually(t, 30*time.Second, func() error {
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               "system:serviceaccount:kube-system:" + account,
				ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "list", Resource: "nodes"},
			}}
			got, err := client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
			if err == nil && got.Status.Allowed {
				return fmt.Errorf("%s still has rights", account)
			}
			return err
		})
	}
}

// open makes a namespace in which Pods can be made.
func open(ctx context.Context, client kubernetes.Interface, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	no := false
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}, AutomountServiceAccountToken: &no}
	_, err := client.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{})
	return err
}

// quiet is the lab's client without the server's warnings about odd objects, which are meant to be odd.
func quiet(t *testing.T, lab *harness.Lab) kubernetes.Interface {
	t.Helper()
	config := rest.CopyConfig(lab.Config)
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
