package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// restConfig reads how to reach the cluster, and speaks protobuf to it.
func (f *flags) restConfig() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	switch {
	case err == nil:
	case f.kubeconfig != "" && errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("--kubeconfig=%s: there is no such file\n  name another, or leave the flag out to use $KUBECONFIG", f.kubeconfig)
	case clientcmd.IsEmptyConfig(err):
		return nil, errors.New("no cluster to work for: there is no kubeconfig, and this is no Pod with a service account\n  name one: --kubeconfig FILE, or $KUBECONFIG")
	default:
		return nil, fmt.Errorf("the kubeconfig cannot be used: %w\n  choose another: --kubeconfig FILE, or $KUBECONFIG", err)
	}
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	cfg.UserAgent = "everynode-controller"
	cfg.QPS, cfg.Burst = f.qps, f.burst
	return cfg, nil
}

// Pauses between tries to reach an API server that does not answer.
const (
	reachFirst   = time.Second
	reachLongest = 15 * time.Second
	reachTimeout = 10 * time.Second
)

// reach waits until the API server answers: it may be about to start, as this controller is. What no waiting can heal is an
// error at once. failed is told of each try that failed.
func reach(ctx context.Context, client discovery.DiscoveryInterface, host string, failed func(error)) error {
	for pause := reachFirst; ; pause = min(2*pause, reachLongest) {
		try, cancel := context.WithTimeout(ctx, reachTimeout)
		_, err := discovery.ToDiscoveryInterfaceWithContext(client).ServerVersionWithContext(try)
		cancel()
		var untrusted *tls.CertificateVerificationError
		switch {
		case err == nil, ctx.Err() != nil, apierrors.IsForbidden(err):
			return nil //nolint:nilerr // it answers, or nobody waits for that any more
		case apierrors.IsUnauthorized(err):
			return fmt.Errorf("the API server at %s does not accept the credentials: %w\n  look at the user in the kubeconfig, or at the service account's token", host, err)
		case errors.As(err, &untrusted):
			return fmt.Errorf("what answers at %s is not the cluster of the kubeconfig: %w\n  look at the server and the certificate authority there", host, err)
		}
		failed(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
