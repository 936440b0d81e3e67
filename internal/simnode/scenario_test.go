package simnode

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// TestScenarios plays the text files in testdata against one kubelet with a clock of its own and no API server.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return // go test keeps the inputs of fuzz targets here as well
		}
		w := newWorld()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.out.Reset()
			w.command(t, d)
			if w.out.Len() == 0 {
				return "ok\n"
			}
			return w.out.String()
		})
	})
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// world holds the objects that an API server would hold, and the kubelet.
type world struct {
	now     time.Time
	kubelet *kubelet
	version int
	out     strings.Builder
}

func newWorld() *world {
	return &world{now: epoch, kubelet: newTestKubelet()}
}

func newTestKubelet() *kubelet {
	return &kubelet{
		name: "node-001", host: hostOf(1), pods: map[types.UID]*member{},
		timing: timing{start: 200 * time.Millisecond, stop: 300 * time.Millisecond, status: 5 * time.Minute},
	}
}

func (w *world) command(t *testing.T, d *datadriven.TestData) {
	switch d.Cmd {
	case "node":
		w.setNode(t, d)
	case "pod":
		w.addPod(t, d)
	case "delete":
		pod := w.find(t, d.CmdArgs[0].Key)
		grace := int64(30)
		maybe(t, d, "grace", &grace)
		pod.DeletionTimestamp = ptr.To(metav1.NewTime(w.now.Add(time.Duration(grace) * time.Second)))
		pod.DeletionGracePeriodSeconds = &grace
		w.put(pod)
	case "status": // somebody else writes the status
		pod := w.find(t, d.CmdArgs[0].Key)
		w.foreign(t, d, pod)
		w.put(pod)
	case "image":
		pod := w.find(t, d.CmdArgs[0].Key)
		d.ScanArgs(t, "to", &pod.Spec.Containers[0].Image)
		w.put(pod)
	case "restart":
		old := w.kubelet
		w.kubelet = newTestKubelet()
		w.kubelet.setNode(old.node, w.now)
		for _, m := range old.pods {
			w.kubelet.see(m.pod, w.now)
		}
	case "run":
		length, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		w.run(length)
	case "show":
		w.show(w.find(t, d.CmdArgs[0].Key))
	default:
		t.Fatalf("unknown command %q", d.Cmd)
	}
}

func (w *world) setNode(t *testing.T, d *datadriven.TestData) {
	cpu, memory, pods, kubelet := "4", "16Gi", "110", Running
	node := newNode("node-001", "local-a", general)
	node.UID, node.ResourceVersion = "node-uid", w.next()
	maybe(t, d, "cpu", &cpu)
	maybe(t, d, "memory", &memory)
	maybe(t, d, "pods", &pods)
	maybe(t, d, "kubelet", &kubelet)
	node.Status.Allocatable = quantities(cpu, memory, "10Gi", pods)
	node.Annotations[KubeletAnnotation] = kubelet
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "gpu":
			node.Status.Allocatable["example.com/gpu"] = resource.MustParse(arg.Vals[0])
		case "taint":
			taint, err := ParseTaint(arg.Vals[0])
			if err != nil {
				t.Fatal(err)
			}
			node.Spec.Taints = append(node.Spec.Taints, taint)
		case "reject", "clock-skew":
			node.Annotations[Prefix+arg.Key] = strings.Join(arg.Vals, " ")
		}
	}
	for _, p := range w.kubelet.setNode(&node, w.now) {
		fmt.Fprintf(&w.out, "%s event: %s\n", w.clock(), p.text)
	}
}

func (w *world) addPod(t *testing.T, d *datadriven.TestData) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: d.CmdArgs[0].Key, UID: types.UID("uid-" + d.CmdArgs[0].Key), Generation: 1,
			CreationTimestamp: metav1.NewTime(w.now), Annotations: map[string]string{},
		},
		Spec: corev1.PodSpec{
			NodeName: "node-001", RestartPolicy: corev1.RestartPolicyAlways,
			Containers: []corev1.Container{{Name: "main", Image: "nginx:1", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending, QOSClass: corev1.PodQOSBurstable},
	}
	main := &pod.Spec.Containers[0]
	for _, arg := range d.CmdArgs[1:] {
		value := strings.Join(arg.Vals, ", ")
		switch arg.Key {
		case "cpu", "memory", "example.com/gpu":
			main.Resources.Requests[corev1.ResourceName(arg.Key)] = resource.MustParse(value)
		case "host-port":
			port, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			main.Ports = append(main.Ports, corev1.ContainerPort{HostPort: int32(port), ContainerPort: int32(port), Protocol: corev1.ProtocolTCP})
		case "host-ip":
			main.Ports[0].HostIP = value
		case "udp":
			main.Ports[0].Protocol = corev1.ProtocolUDP
		case "image":
			main.Image = value
		case "init":
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{Name: "init", Image: value})
		case "gate":
			pod.Spec.ReadinessGates = append(pod.Spec.ReadinessGates, corev1.PodReadinessGate{ConditionType: corev1.PodConditionType(value)})
		case "selector":
			key, want, _ := strings.Cut(value, ":")
			pod.Spec.NodeSelector = map[string]string{key: want}
		case "tolerate":
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Key: value, Operator: corev1.TolerationOpExists})
		case "priority":
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			pod.Spec.Priority = ptr.To(int32(n))
		case "never-restart":
			pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		case "host-network":
			pod.Spec.HostNetwork = true
		case "finalizer":
			pod.Finalizers = []string{value}
		default:
			pod.Annotations[Prefix+arg.Key] = value
		}
	}
	w.put(pod)
}

func (w *world) foreign(t *testing.T, d *datadriven.TestData, pod *corev1.Pod) {
	for _, arg := range d.CmdArgs[1:] {
		switch arg.Key {
		case "phase":
			pod.Status.Phase = corev1.PodPhase(arg.Vals[0])
		case "condition":
			kind, status, _ := strings.Cut(arg.Vals[0], ":")
			wr := newWriter(pod, metav1.NewTime(w.now))
			wr.condition(corev1.PodConditionType(kind), status == "True", "Foreign", "")
			pod.Status = *wr.status
		default:
			t.Fatalf("unknown argument %q", arg.Key)
		}
	}
}

func (w *world) find(t *testing.T, name string) *corev1.Pod {
	for _, m := range w.kubelet.pods {
		if m.pod.Name == name {
			return m.pod.DeepCopy()
		}
	}
	t.Fatalf("no pod %q", name)
	return nil
}

func (w *world) next() string {
	w.version++
	return strconv.Itoa(w.version)
}

func (w *world) put(pod *corev1.Pod) {
	pod.ResourceVersion = w.next()
	w.kubelet.see(pod, w.now)
}

// run lets time pass; the kubelet is asked exactly when it wanted to be.
func (w *world) run(length time.Duration) {
	end := w.now.Add(length)
	for range 10_000 {
		var soonest time.Time
		for _, m := range w.kubelet.pods {
			soonest = sooner(soonest, m.due)
		}
		if !w.kubelet.atWork() || soonest.IsZero() || soonest.After(end) {
			w.now = end
			return
		}
		if soonest.After(w.now) {
			w.now = soonest
		}
		for _, m := range w.kubelet.due(w.now) {
			w.look(m)
		}
	}
	fmt.Fprintln(&w.out, "the kubelet does not come to rest")
}

func (w *world) look(m *member) {
	s := w.kubelet.step(m, w.now)
	if s.confirm {
		s = w.kubelet.step(m, w.now)
	}
	m.due, m.problems = s.again, nil
	if s.status != nil {
		pod := m.pod.DeepCopy()
		pod.Status = *s.status
		w.put(pod)
		fmt.Fprintf(&w.out, "%s %s\n", w.clock(), summary(pod))
	}
	if s.end {
		fmt.Fprintf(&w.out, "%s %s: end\n", w.clock(), m.pod.Name)
		if m.gone = true; len(m.pod.Finalizers) == 0 {
			w.kubelet.forget(m.pod.UID)
		}
	}
	for _, n := range s.notes {
		fmt.Fprintf(&w.out, "%s %s: event %s: %s\n", w.clock(), n.pod.Name, n.reason, n.message)
	}
}

func (w *world) clock() string { return fmt.Sprintf("%8.3fs", w.now.Sub(epoch).Seconds()) }

// summary is one line about a Pod: phase, reason, readiness, what each container does.
func summary(pod *corev1.Pod) string {
	line := fmt.Sprintf("%s: %s", pod.Name, pod.Status.Phase)
	if pod.Status.Reason != "" {
		line += fmt.Sprintf(" reason=%s message=%q", pod.Status.Reason, pod.Status.Message)
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			line += " ready=" + string(c.Status)
		}
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, s := range list {
			line += fmt.Sprintf(" %s=%s", s.Name, containerState(s))
		}
	}
	return line
}

func containerState(s corev1.ContainerStatus) string {
	switch {
	case s.State.Waiting != nil && s.RestartCount > 0:
		return fmt.Sprintf("%s(%d restarts)", s.State.Waiting.Reason, s.RestartCount)
	case s.State.Waiting != nil:
		return s.State.Waiting.Reason
	case s.State.Running != nil:
		return "running"
	case s.State.Terminated != nil:
		return fmt.Sprintf("%s(%d)", s.State.Terminated.Reason, s.State.Terminated.ExitCode)
	}
	return "nothing"
}

// show prints a whole status.
func (w *world) show(pod *corev1.Pod) {
	s := &pod.Status
	fmt.Fprintf(&w.out, "%s\nhost=%s pod=%s started=%s\n", summary(pod), s.HostIP, s.PodIP, since(s.StartTime))
	conditions := map[string]string{}
	for _, c := range s.Conditions {
		conditions[string(c.Type)] = fmt.Sprintf("%s since %s %s", c.Status, since(&c.LastTransitionTime), c.Reason)
	}
	for _, kind := range slices.Sorted(maps.Keys(conditions)) {
		fmt.Fprintf(&w.out, "  %s: %s\n", kind, strings.TrimSpace(conditions[kind]))
	}
}

func since(t *metav1.Time) string {
	if t == nil {
		return "never"
	}
	return t.Sub(epoch).String()
}

// maybe reads an argument that need not be there.
func maybe(t *testing.T, d *datadriven.TestData, key string, into any) {
	if d.HasArg(key) {
		d.ScanArgs(t, key, into)
	}
}
