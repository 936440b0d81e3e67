package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/cri-streaming/pkg/streaming/portforward"

	"github.com/everynode/everynode/internal/live"
	"github.com/everynode/everynode/internal/snapshot"
)

// node is an API server with one Pod, and the kubelet's end of port forwarding.
type node struct {
	pod *corev1.Pod
	// loopback is what the Pod's own loopback serves, by port.
	loopback map[int32]string
	refuse   bool
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := "/api/v1/namespaces/everynode-system/pods/" + n.pod.Name; {
	case r.URL.Path == path:
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(n.pod); err != nil {
			panic(err)
		}
	case r.URL.Path == path+"/portforward" && n.refuse:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"pods \"controller-abc\" is forbidden: may not create pods/portforward"}`)
	case r.URL.Path == path+"/portforward":
		portforward.ServePortForward(w, r, n, n.pod.Name, "", &portforward.V4Options{}, time.Minute, time.Minute, portforward.SupportedProtocols)
	default:
		http.NotFound(w, r)
	}
}

// PortForward joins a stream with a port.
func (n *node) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.loopback[port])
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(conn, stream) // the other direction tells of errors
		_ = conn.Close()
	}()
	_, err = io.Copy(stream, conn)
	return err
}

func forwardTo(t *testing.T, n *node) (*Door, *snapshot.Snapshot, error) {
	t.Helper()
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	cfg := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s := &snapshot.Snapshot{Taken: now, Leases: []snapshot.Lease{{Namespace: "everynode-system", Name: live.LeaseName, Holder: n.pod.Name + "_123", Renewed: now, Seconds: 15}}}
	door, err := ThroughPod(t.Context(), client, cfg, s)
	return door, s, err
}

func onLoopback(port string) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "everynode-system", Name: "controller-abc"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Args: []string{"--metrics-bind-address=127.0.0.1:" + port}}}},
	}
}

// A controller that serves on its Pod's loopback only, as the manifest has it, is asked through a forwarded port.
func TestAControllerOnLoopbackIsAsked(t *testing.T) {
	controller := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != live.PathPrefix+"a/d" {
			http.NotFound(w, r)
			return
		}
		if err := json.NewEncoder(w).Encode(live.State{Version: live.Version, Namespace: "a", Name: "d", Approved: "6c78fdb65f"}); err != nil {
			panic(err)
		}
	}))
	defer controller.Close()
	door, s, err := forwardTo(t, &node{pod: onLoopback("10270"), loopback: map[int32]string{10270: controller.Listener.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Live(t.Context(), door, s, types.NamespacedName{Namespace: "a", Name: "d"}); err != nil {
		t.Fatal(err)
	}
	door.Close()
	if len(s.Live) != 1 || s.Live[0].Approved != "6c78fdb65f" || door.name != "Pod everynode-system/controller-abc" {
		t.Errorf("through %s: %+v", door.name, s.Live)
	}
	if err := Live(t.Context(), door, s, types.NamespacedName{Namespace: "a", Name: "d"}); err == nil {
		t.Error("a Door that was closed still leads somewhere")
	}
}

// Who may not forward ports is told so, with what that was for.
func TestAPortThatMayNotBeForwarded(t *testing.T) {
	_, _, err := forwardTo(t, &node{pod: onLoopback("10270"), refuse: true})
	if err == nil || !strings.Contains(err.Error(), "serves it on 127.0.0.1:10270 only, and no port could be forwarded from there") || !strings.Contains(err.Error(), "may not create pods/portforward") {
		t.Errorf("error = %v", err)
	}
}
