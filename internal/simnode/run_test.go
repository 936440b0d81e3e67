package simnode

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

// TestRun plays kubelets against a fake API server, in virtual time.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		ctx, cancel := context.WithCancel(t.Context())
		nodes := Default(12)
		if err := Register(ctx, client, nodes); err != nil {
			t.Fatal(err)
		}
		if err := Register(ctx, client, nodes); err != nil {
			t.Fatalf("registering again: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- run(ctx, client, Options{}) }()
		for _, node := range nodes {
			createPod(t, client, "p-"+node.Name, node.Name)
		}
		time.Sleep(time.Second)
		for _, node := range nodes {
			if pod := getPod(t, client, "p-"+node.Name); pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" {
				t.Errorf("pod on %s: %s %q, want it running with an address", node.Name, pod.Status.Phase, pod.Status.PodIP)
			}
		}

		checkLeases(t, client, 12)
		checkMute(t, client)
		checkLateNode(t, client)
		checkRemoved(t, client)

		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

func checkLeases(t *testing.T, client *fake.Clientset, want int) {
	time.Sleep(30 * time.Second)
	leases, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(leases.Items) != want {
		t.Errorf("%d leases, want %d", len(leases.Items), want)
	}
	for _, l := range leases.Items {
		if age := time.Since(l.Spec.RenewTime.Time); age > 10*time.Second {
			t.Errorf("lease %s was renewed %s ago", l.Name, age)
		}
	}
}

func checkMute(t *testing.T, client *fake.Clientset) {
	setKubelet(t, client, "node-002", Stopped)
	time.Sleep(time.Second)
	createPod(t, client, "silent", "node-002")
	time.Sleep(time.Minute)
	if pod := getPod(t, client, "silent"); pod.Status.StartTime != nil {
		t.Error("a mute kubelet has admitted a Pod")
	}
	lease, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), "node-002", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(lease.Spec.RenewTime.Time); age < 50*time.Second {
		t.Errorf("a mute kubelet has renewed its lease %s ago", age)
	}
	// The node lifecycle controller finds it unknown.
	node, err := client.CoreV1().Nodes().Get(t.Context(), "node-002", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range node.Status.Conditions {
		node.Status.Conditions[i].Status = corev1.ConditionUnknown
	}
	if _, err := client.CoreV1().Nodes().UpdateStatus(t.Context(), node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	setKubelet(t, client, "node-002", Running)
	time.Sleep(time.Second)
	if pod := getPod(t, client, "silent"); pod.Status.Phase != corev1.PodRunning {
		t.Errorf("after the kubelet's return the Pod is %s", pod.Status.Phase)
	}
	checkReady(t, client, "node-002")
}

// checkLateNode has somebody create a bare Node with kubectl.
func checkLateNode(t *testing.T, client *fake.Clientset) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "late", Annotations: map[string]string{KubeletAnnotation: Running}}}
	if _, err := client.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	createPod(t, client, "early", "late")
	time.Sleep(time.Second)
	checkReady(t, client, "late")
	if pod := getPod(t, client, "early"); pod.Status.Phase != corev1.PodRunning {
		t.Errorf("the Pod on the late node is %s", pod.Status.Phase)
	}
}

func checkRemoved(t *testing.T, client *fake.Clientset) {
	if err := client.CoreV1().Nodes().Delete(t.Context(), "late", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if pod := getPod(t, client, "early"); pod.Status.Phase != corev1.PodRunning {
		t.Errorf("a dead kubelet has touched its Pod: %s", pod.Status.Phase)
	}
	_, err := client.CoreV1().Nodes().Get(t.Context(), "late", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the removed node: %v", err)
	}
}

func createPod(t *testing.T, client *fake.Clientset, name, node string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec: corev1.PodSpec{
			NodeName: node, Containers: []corev1.Container{{Name: "main", Image: "nginx:1"}},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	if _, err := client.CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func getPod(t *testing.T, client *fake.Clientset, name string) *corev1.Pod {
	t.Helper()
	pod, err := client.CoreV1().Pods("default").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

func setKubelet(t *testing.T, client *fake.Clientset, name, value string) {
	t.Helper()
	patch := []byte(`{"metadata":{"annotations":{"` + KubeletAnnotation + `":"` + value + `"}}}`)
	if _, err := client.CoreV1().Nodes().Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func checkReady(t *testing.T, client *fake.Clientset, name string) {
	t.Helper()
	node, err := client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return
		}
	}
	t.Errorf("node %s is not ready: %v", name, node.Status.Conditions)
}
