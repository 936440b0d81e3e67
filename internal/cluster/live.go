package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/snapshot"
)

// liveLimit bounds how long a command waits for the controller: all that it tells is also in its Pods and events, later.
const liveLimit = 5 * time.Second

// Door is a way to a controller.
type Door struct {
	// get asks for a path.
	get func(ctx context.Context, path string) ([]byte, error)
	// name says which way, for notes.
	name string
	// close ends what was opened for it; nil if nothing was.
	close func()
}

// Close ends what was opened for the Door.
func (d *Door) Close() {
	if d.close != nil {
		d.close()
	}
}

// AtURL is the way to a controller at http://, https:// or unix://.
func AtURL(address string) (*Door, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	transport, base := &http.Transport{}, strings.TrimRight(address, "/")
	switch u.Scheme {
	case "http", "https":
	case "unix":
		base = "http://controller"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", u.Path)
		}
	default:
		return nil, fmt.Errorf("%q is no address of a controller: use http://HOST:PORT or unix:///PATH", address)
	}
	client := &http.Client{Transport: transport}
	return &Door{name: address, get: func(ctx context.Context, path string) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			return nil, err
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
		}
		return body, err
	}}, nil
}

// ThroughPod is the way through the API server to the Pod that holds everynode's lease, if a Pod does. Close the Door after use.
func ThroughPod(ctx context.Context, client kubernetes.Interface, cfg *rest.Config, s *snapshot.Snapshot) (*Door, error) {
	var lease *snapshot.Lease
	for i := range s.Leases {
		if l := &s.Leases[i]; l.Name == live.LeaseName && l.Held(s.Taken) {
			lease = l
		}
	}
	if lease == nil {
		return nil, fmt.Errorf("nobody holds a lease %s", live.LeaseName)
	}
	name, _, _ := strings.Cut(lease.Holder, "_")
	pod, err := client.CoreV1().Pods(lease.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("%s holds the lease, and is no Pod in namespace %s", lease.Holder, lease.Namespace)
	}
	if err != nil {
		return nil, err
	}
	host, port := metricsAddress(pod.Spec.Containers[0].Args)
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		door, err := forwarded(ctx, client, cfg, lease.Namespace, name, port)
		if err != nil {
			return nil, fmt.Errorf("the controller in Pod %s/%s serves it on %s:%s only, and no port could be forwarded from there: %w", lease.Namespace, name, host, port, err)
		}
		return door, nil
	}
	return &Door{name: "Pod " + lease.Namespace + "/" + name, get: func(ctx context.Context, path string) ([]byte, error) {
		return client.CoreV1().Pods(lease.Namespace).ProxyGet("http", name, port, path, nil).DoRaw(ctx)
	}}, nil
}

// metricsAddress reads --metrics-bind-address, whose default is that of the small binary.
func metricsAddress(args []string) (host, port string) {
	host, port = "127.0.0.1", "8080"
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "--metrics-bind-address="); ok {
			if h, p, err := net.SplitHostPort(v); err == nil {
				host, port = h, p
			}
		}
	}
	return host, port
}

// Live asks the controller about DaemonSets and keeps its answers in the snapshot.
func Live(ctx context.Context, door *Door, s *snapshot.Snapshot, keys ...types.NamespacedName) error {
	ctx, cancel := context.WithTimeout(ctx, liveLimit)
	defer cancel()
	var first error
	for _, key := range keys {
		state, err := door.ask(ctx, key)
		switch {
		case err == nil:
			s.Live = append(s.Live, *state)
		case ctx.Err() != nil:
			return err
		case first == nil:
			first = err // the others may be known nevertheless
		}
	}
	return first
}

func (d *Door) ask(ctx context.Context, key types.NamespacedName) (*live.State, error) {
	body, err := d.get(ctx, live.PathPrefix+key.Namespace+"/"+key.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	state := &live.State{}
	if err := json.Unmarshal(body, state); err != nil {
		return nil, fmt.Errorf("%s does not answer as a controller of everynode does: %w", d.name, err)
	}
	if err := state.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	return state, nil
}
