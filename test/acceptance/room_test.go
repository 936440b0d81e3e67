package acceptance

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func holdingPort(port int32, protocol corev1.Protocol, ip string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: port, HostPort: port, Protocol: protocol, HostIP: ip}}
	}
}

// A19. Direct placement looks at host ports: number, protocol, address. The kubelets, which look too, reject no Pod.
func testHostPorts(t *testing.T, s *space) {
	s.barePod(t, "web1", s.node(1), holdingPort(80, corev1.ProtocolTCP, ""))
	s.barePod(t, "web2", s.node(2), holdingPort(80, corev1.ProtocolUDP, ""))
	s.barePod(t, "web3", s.node(3), holdingPort(80, corev1.ProtocolTCP, "127.0.0.1"))
	s.barePod(t, "web5", s.node(5), holdingPort(80, corev1.ProtocolTCP, ""))
	s.create(t, "d", hostPort(80), onNodesWith("role", "web"))
	first := s.expectOn(t, "d", s.nodes(2, 4)...)
	s.expect(t, "d", counts{desired: 4, current: 2, ready: 2, updated: 2, available: 2})
	lasts(t, settled)
	s.expectMessages(t, "d", "FailedPlacement",
		"No Pod on node ports-001: host port 80/TCP is held by Pod ports/web1",
		"No Pod on node ports-003: host port 80/TCP is held by Pod ports/web3")

	if err := s.Client.CoreV1().Pods(s.name).Delete(t.Context(), "web1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	second := s.expectOn(t, "d", s.nodes(1, 2, 4)...)
	same(t, first, second, s.nodes(2, 4)...)
	s.expect(t, "d", counts{desired: 4, current: 3, ready: 3, updated: 3, available: 3})

	// Another DaemonSet that wants the port gets it nowhere, and disturbs nobody. With the host's network every container
	// port is a host port, and the own Pod is no rival.
	s.create(t, "e", hostPort(80), onNodesWith("role", "web"))
	s.create(t, "host", onNodesWith("role", "web"), hostNetwork(9000))
	s.expect(t, "e", counts{desired: 4})
	s.expect(t, "host", all(4))
	host := s.expectOn(t, "host", s.nodes(1, 2, 3, 4)...)
	lasts(t, settled)
	same(t, second, s.expectOn(t, "d", s.nodes(1, 2, 4)...), s.nodes(1, 2, 4)...)
	same(t, host, s.expectOn(t, "host", s.nodes(1, 2, 3, 4)...), s.nodes(1, 2, 3, 4)...)
	s.expectMessages(t, "host", "FailedPlacement")
	s.expectNoRejections(t)
}

func hostNetwork(port int32) option {
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.HostNetwork = true
		ds.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: port}}
	}
}

// A20. Direct placement looks at room: node 1 lacks CPU, node 2 a place for a Pod; on node 4 an ended Pod takes nothing. The
// init container's 200m are more than the containers' 150m together.
func testRoom(t *testing.T, s *space) {
	s.barePod(t, "x1", s.node(1), asking("900m"))
	for _, name := range []string{"x2", "x3", "x4"} {
		s.barePod(t, name, s.node(2), nil)
	}
	s.barePod(t, "x5", s.node(4), asking("400m"))
	s.barePod(t, "x6", s.node(4), asking("500m"))
	s.setPhase(t, "x6", corev1.PodSucceeded, "")
	s.create(t, "d", func(ds *appsv1.DaemonSet) {
		spec := &ds.Spec.Template.Spec
		spec.InitContainers = []corev1.Container{{Name: "init", Image: "example.test/init", Resources: requests("200m")}}
		spec.Containers[0].Resources = requests("100m")
		spec.Containers = append(spec.Containers, corev1.Container{Name: "c2", Image: "example.test/c2", Resources: requests("50m")})
	})
	first := s.expectOn(t, "d", s.nodes(3, 4)...)
	s.expect(t, "d", counts{desired: 4, current: 2, ready: 2, updated: 2, available: 2})
	lasts(t, settled)
	s.expectMessages(t, "d", "FailedPlacement",
		"No Pod on node room-001: cpu: requested 200m, used 900m of 1",
		"No Pod on node room-002: pods: requested 1, used 3 of 3")
	if h := s.seen.of(t, s.name, "d"); len(h.firsts) != 2 {
		t.Errorf("%d Pods were made; want 2: none may be tried where it does not fit", len(h.firsts))
	}

	s.setPhase(t, "x1", corev1.PodSucceeded, "")
	s.grow(t, s.node(2), "pods", "4")
	s.expect(t, "d", all(4))
	same(t, first, s.expectOn(t, "d", s.nodes(1, 2, 3, 4)...), s.nodes(3, 4)...)
	s.expectNoRejections(t)
}

func requests(cpu string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}
}

func asking(cpu string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Resources = requests(cpu) }
}

// grow changes what a node has to give.
func (s *space) grow(t *testing.T, node, name, amount string) {
	t.Helper()
	patch := []byte(`{"status":{"capacity":{"` + name + `":"` + amount + `"},"allocatable":{"` + name + `":"` + amount + `"}}}`)
	if _, err := s.Client.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}

// expectMessages compares all events with this reason about a DaemonSet.
func (s *space) expectMessages(t *testing.T, name, reason string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, s.events(t, name, reason)); diff != "" {
		t.Errorf("events %s of %s (-want +got):\n%s", reason, name, diff)
	}
}

// expectNoRejections checks that no kubelet ever refused a daemon's Pod in this space.
func (s *space) expectNoRejections(t *testing.T) {
	t.Helper()
	for _, e := range s.seen.entries(t) {
		if _, ours := ownerOf(e.pod); ours && e.pod.Namespace == s.name && e.pod.Status.Phase == corev1.PodFailed {
			t.Errorf("Pod %s on %s failed: %s: %s", e.pod.Name, nodeOf(e.pod), e.pod.Status.Reason, e.pod.Status.Message)
		}
	}
}
