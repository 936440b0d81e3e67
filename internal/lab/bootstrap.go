package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/everynode/everynode/config"
)

const (
	systemNamespace  = "everynode-system"
	controllerUser   = "everynode-controller"
	simnodeUser      = "everynode-simnode"
	fieldManager     = "everynode-up"
	tokenLifeSeconds = int64(365 * 24 * 3600) // the token lives in memory only, and no lab runs for a year
)

// applyManifests gives our parts their identities and rights, from the files that serve a real cluster too.
// Server-side apply makes it right for a resumed cluster as well.
func applyManifests(ctx context.Context, client dynamic.Interface, names ...string) error {
	for _, name := range names {
		data, err := config.Read(name)
		if err != nil {
			return err
		}
		objects, err := decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, o := range objects {
			if err := retry(ctx, func() error { return apply(ctx, client, o) }); err != nil {
				return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
			}
		}
	}
	return nil
}

func apply(ctx context.Context, client dynamic.Interface, o *unstructured.Unstructured) error {
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	var target dynamic.ResourceInterface = client.Resource(resource)
	if ns := o.GetNamespace(); ns != "" {
		target = client.Resource(resource).Namespace(ns)
	}
	_, err := target.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}

func decode(data []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := d.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
}

// token gives a service account's identity to a part of this process.
func token(ctx context.Context, client kubernetes.Interface, user string) (string, error) {
	var out string
	err := retry(ctx, func() error {
		req := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(tokenLifeSeconds)}}
		got, err := client.CoreV1().ServiceAccounts(systemNamespace).CreateToken(ctx, user, req, metav1.CreateOptions{})
		if err == nil {
			out = got.Status.Token
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("token for %s/%s: %w", systemNamespace, user, err)
	}
	return out, nil
}

// waitDefaultAccount waits for kube-controller-manager to have made default/default: without it no Pod is admitted.
func waitDefaultAccount(ctx context.Context, client kubernetes.Interface) error {
	return retry(ctx, func() error {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// retry bridges the moments in which a starting cluster says no: a namespace or role that is not seen yet.
func retry(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(25 * time.Millisecond):
		}
	}
}
