package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forwarded is the way to a port that a Pod serves on its own loopback, as kubectl port-forward goes it. It is open until the Door
// is closed.
func forwarded(ctx context.Context, client kubernetes.Interface, cfg *rest.Config, namespace, pod, port string) (*Door, error) {
	dialer, err := tunnel(client, cfg, namespace, pod)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{"0:" + port}, ready, io.Discard, io.Discard)
	if err != nil {
		stop()
		return nil, err
	}
	var failed error
	go func() {
		defer close(ended)
		failed = forwarder.ForwardPorts()
	}()
	select {
	case <-ready:
	case <-ended:
		err = errors.Join(failed, context.Cause(ctx))
		stop()
		return nil, err
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		stop()
		return nil, err
	}
	door, err := AtURL(fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local))
	if err != nil {
		stop()
		return nil, err
	}
	door.name = "Pod " + namespace + "/" + pod
	door.close = func() {
		stop()
		<-ended
	}
	return door, nil
}

// tunnel opens connections to a Pod through the API server: over a WebSocket, or over SPDY where a proxy does not let that through.
func tunnel(client kubernetes.Interface, cfg *rest.Config, namespace, pod string) (httpstream.Dialer, error) {
	to := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(cfg)
	if err != nil {
		return nil, err
	}
	websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(to, cfg)
	if err != nil {
		return nil, err
	}
	plain := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, to)
	return portforward.NewFallbackDialerForStreaming(websocket, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}
