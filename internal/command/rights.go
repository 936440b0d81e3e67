package command

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/everynode/everynode/internal/engine"
)

// right is what the controller has to be allowed, in all namespaces unless one is given.
type right struct {
	group, resource, sub, namespace string
	verbs                           []string
}

// rights are all that feed and act use; config/rbac grants them.
var rights = []right{
	{group: "", resource: "nodes", verbs: []string{"get", "list", "watch"}},
	{group: "", resource: "pods", verbs: []string{"get", "list", "watch", "create", "patch", "delete"}},
	{group: "apps", resource: "daemonsets", verbs: []string{"get", "list", "watch"}},
	{group: "apps", resource: "daemonsets", sub: "status", verbs: []string{"update"}},
	{group: "apps", resource: "daemonsets", sub: "finalizers", verbs: []string{"update"}},
	{group: "apps", resource: "controllerrevisions", verbs: []string{"get", "list", "watch", "create", "update", "delete"}},
	{group: "", resource: "events", verbs: []string{"create", "patch"}},
}

func leaseRight(namespace string) right {
	return right{group: "coordination.k8s.io", resource: "leases", namespace: namespace, verbs: []string{"get", "create", "update"}}
}

func (r right) String() string {
	name := r.resource
	if r.sub != "" {
		name += "/" + r.sub
	}
	if r.group != "" {
		name += "." + r.group
	}
	if r.namespace != "" {
		name += " in namespace " + r.namespace
	}
	return name
}

// mayAll asks the API server whether the controller may do all that it has to, so that a missing right is said once, at
// the start, rather than by each node's failed call. lease is the lease's namespace, or empty if there is no election.
func mayAll(ctx context.Context, client kubernetes.Interface, lease string, log *slog.Logger) error {
	needed := rights
	if lease != "" {
		needed = append(needed[:len(needed):len(needed)], leaseRight(lease))
	}
	var lacking strings.Builder
	for _, r := range needed {
		verbs, err := refused(ctx, client, r)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // nobody waits for the answer any more
		}
		if err != nil {
			// It cannot ask; the calls themselves will tell.
			log.Warn("whether the controller has its rights is not known", "error", err)
			return nil
		}
		if len(verbs) > 0 {
			fmt.Fprintf(&lacking, "\n  %s: %s", r, strings.Join(verbs, ", "))
		}
	}
	if lacking.Len() == 0 {
		return nil
	}
	return fmt.Errorf("%s may not do all that the controller has to; missing are%s\n"+
		"  grant them: kubectl apply -f config/rbac/ (the service account %s in %s), or use another identity",
		whoami(ctx, client), lacking.String(), engine.LeaseName, engine.DefaultNamespace)
}

// An API server that has just started does not know all roles yet, and denies what it will allow in a moment.
const (
	rightsAsked = 4
	rightsPause = 2 * time.Second
)

// mayAllSoon is mayAll, asked again a few times before a right counts as missing.
func mayAllSoon(ctx context.Context, client kubernetes.Interface, lease string, log *slog.Logger) error {
	for asked := 1; ; asked++ {
		err := mayAll(ctx, client, lease, log)
		if err == nil || asked == rightsAsked {
			return err
		}
		log.Info("a right is missing; it is asked for again, in case the API server has just started", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rightsPause):
		}
	}
}

// refused are the verbs of r that are not allowed.
func refused(ctx context.Context, client kubernetes.Interface, r right) ([]string, error) {
	var verbs []string
	for _, verb := range r.verbs {
		review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: r.namespace, Verb: verb, Group: r.group, Resource: r.resource, Subresource: r.sub,
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			return nil, err
		}
		if !review.Status.Allowed {
			verbs = append(verbs, verb)
		}
	}
	return verbs, nil
}

// whoami is the identity as the API server sees it, if it says.
func whoami(ctx context.Context, client kubernetes.Interface) string {
	review, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || review.Status.UserInfo.Username == "" {
		return "the identity in use" // older servers do not tell; the message is about what is missing
	}
	return review.Status.UserInfo.Username
}
